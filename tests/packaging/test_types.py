"""The types of the client for browsers, as the TypeScript compiler sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers import ROOT, node_program, run

HERE = Path(__file__).parent / "typescript"


@pytest.mark.parametrize("project", ["tsconfig.json", "sources.tsconfig.json"])
def test_the_compiler_has_nothing_to_say(project: str) -> None:
    """Of a page that uses the published types, and of the sources behind them."""
    checked = run(
        [node_program("typescript", "tsc"), "-p", HERE / project], timeout_s=120
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout == ""


def test_it_reads_every_source() -> None:
    compiler, project = node_program("typescript", "tsc"), "sources.tsconfig.json"
    listed = run([compiler, "--listFilesOnly", "-p", HERE / project], timeout_s=120)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    sources = {str(path) for path in (ROOT / "mcp_transport").rglob("*.js")}
    assert len(sources) > 1
    assert sources <= set(listed.stdout.splitlines())
