"""What is noted of a request."""

from __future__ import annotations

from websockets.sync.client import connect as open_socket

from tests.runner.wire import ask, becomes, get
from tests.serving import HOST, Served


def test_a_query_string_is_in_no_log(served: Served) -> None:
    ask(served, get(b"/hold?s=0&token=secret-of-a-request"))
    with open_socket(f"ws://{HOST}:{served.port}/echo?token=secret-of-a-socket"):
        pass
    becomes(lambda: '"WSDISCONNECT /echo"' in served.said())
    said = served.said()
    assert '"GET /hold" 200' in said
    assert "secret-of" not in said
