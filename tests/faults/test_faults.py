"""The fault tests at the size that is soon over; script/faults runs the full one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import __main__ as program
from tests.faults.faults import FAULTS, Fault
from tests.faults.verdict import Failed


@pytest.mark.parametrize("name", FAULTS)
async def test_what_must_hold_holds(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    assert await fault.run(fault.small, tmp_path)


async def _passes(size: int, directory: Path) -> str:
    return f"{size} times"


async def _fails(size: int, directory: Path) -> str:
    raise ExceptionGroup("side by side", [Failed("a gap"), ValueError("odd\nlines")])


def test_the_line_and_the_status_say_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = {"T1": Fault(_passes, 1, 9), "T3": Fault(_fails, 1, 9)}
    monkeypatch.setattr(program, "FAULTS", faults)
    assert program.main(["T1"]) == 0
    assert program.main(["T1", "--small"]) == 0
    assert program.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" (")[0] for line in lines] == [
        "T1 pass: 9 times",
        "T1 pass: 1 times",
        "T1 pass: 9 times",
        "T3 fail: Failed: a gap; ValueError: odd lines",
    ]
    with pytest.raises(SystemExit):
        program.main(["T99"])
