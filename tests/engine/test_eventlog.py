from __future__ import annotations

import pytest

from mcp_transport.engine.eventlog import STANDING, Gone, Position


@pytest.mark.parametrize(
    "position",
    [
        Position(STANDING, "0a1b2c3d", 0),
        Position("f" * 16, "0", 1),
        Position("stream7", "f" * 32, 10**15 - 1),
    ],
)
def test_a_position_can_be_sent_and_read_again(position: Position) -> None:
    assert Position.parse(str(position)) == position


def test_an_event_id_says_stream_epoch_and_number() -> None:
    assert str(Position("a7", "0b", 12)) == "a7.0b.12"


@pytest.mark.parametrize(
    "id",
    [
        "",
        "x",
        "0",
        "..",
        "0..1",
        ".0a.1",
        "0.0a",
        "0.0a.",
        "0.0a.-1",
        "0.0a.+1",
        "0.0a.x",
        "0.0a.1e3",
        "0.0a.1 ",
        " 0.0a.1",
        "0.0a.1\n",
        "0.0a.\u0661",
        "0.0g.1",
        "0.0A.1",
        "A.0a.1",
        "../x.0a.1",
        "0:1.0a.1",
        "0.0a.1.1",
        "0.0a." + "9" * 16,
        "0." + "a" * 33 + ".1",
        "a" * 33 + ".0a.1",
    ],
)
def test_an_id_that_no_log_ever_gave_names_no_place(id: str) -> None:
    with pytest.raises(Gone):
        Position.parse(id)
