"""What is noted of a request."""

from __future__ import annotations

import time

from websockets.sync.client import connect as open_socket

from tests.runner.wire import ask, get
from tests.serving import HOST, Served


def test_a_query_string_is_in_no_log(served: Served) -> None:
    ask(served, get(b"/hold?s=0&token=secret-of-a-request"))
    with open_socket(f"ws://{HOST}:{served.port}/echo?token=secret-of-a-socket"):
        pass
    deadline = time.monotonic() + 10
    while "WSDISCONNECT /echo" not in served.said() and time.monotonic() < deadline:
        time.sleep(0.05)
    said = served.said()
    assert '"GET /hold" 200' in said
    assert '"WSDISCONNECT /echo"' in said
    assert "secret-of" not in said
