"""docs/checks.md has each check that there is, and no other."""

from __future__ import annotations

import re

from tests.serving import ROOT

CODE = re.compile(r"(?:mcp_transport|tools_app)\.[EW]\d{3}")
ROW = re.compile(r"\| `([a-z_]+\.[EW]\d{3})` \| .+ \| .+ \|")


def test_each_check_has_its_row() -> None:
    files = [
        *(ROOT / "mcp_transport" / "checks").glob("*.py"),
        ROOT / "tools_app" / "checks.py",
    ]
    there = {code for file in files for code in CODE.findall(file.read_text("utf-8"))}
    rows = ROW.findall((ROOT / "docs" / "checks.md").read_text("utf-8"))
    assert rows == sorted(rows, key=lambda code: (code.partition(".")[2][0], code))
    assert set(rows) == there
    assert len(there) > 20
