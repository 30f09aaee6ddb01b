from __future__ import annotations

import pytest

from mcp_transport.protocol.errors import INVALID_REQUEST, ProtocolError
from mcp_transport.protocol.lifecycle import Phase, check_phase


@pytest.mark.parametrize(
    ("phase", "method", "accepted"),
    [
        (Phase.NEW, "initialize", True),
        (Phase.NEW, "ping", True),
        (Phase.NEW, "tools/list", False),
        (Phase.NEW, "logging/setLevel", False),
        (Phase.NEW, "unknown", False),
        (Phase.INITIALIZED, "ping", True),
        (Phase.INITIALIZED, "tools/list", True),
        (Phase.INITIALIZED, "initialize", False),
        (Phase.READY, "tools/list", True),
        (Phase.READY, "unknown", True),
        (Phase.READY, "initialize", False),
    ],
)
def test_a_phase_accepts_what_may_come_in_it(
    phase: Phase, method: str, accepted: bool
) -> None:
    if accepted:
        check_phase(phase, method)
        return
    with pytest.raises(ProtocolError) as caught:
        check_phase(phase, method)
    assert caught.value.code == INVALID_REQUEST
    early = f"{method} came before initialize"
    again = "this session is initialized already"
    assert caught.value.message == (early if phase is Phase.NEW else again)
