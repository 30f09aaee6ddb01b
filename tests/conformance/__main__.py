"""Runs the official suite against the fixture server and shows what it says."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests import peers
from tests.conformance import suite
from tests.conformance.conftest import MOUNTS, settings
from tests.serving import daphne

REVISIONS = sorted(path.stem for path in suite.BASELINES.glob("*.yml"))


def main(arguments: list[str]) -> int:
    """Return the suite's exit code, or the worst of several."""
    if unknown := set(arguments) - set(REVISIONS):
        print(f"no revision {', '.join(unknown)}; there are: {', '.join(REVISIONS)}")
        return 2
    worst = 0
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "server.log")
        with daphne(MOUNTS["lean"], log, environ=settings("settings")) as served:
            for revision in arguments or REVISIONS:
                worst = max(worst, show(served.url, revision))
    return worst


def show(url: str, revision: str) -> int:
    """Run every scenario of a revision, its output going to ours."""
    print(f"== {revision} ==", flush=True)
    baseline = suite.BASELINES / f"{revision}.yml"
    return subprocess.run(
        suite.command(
            *("server", "--url", url, "--suite", "all"),
            *("--spec-version", revision, "--expected-failures", baseline),
        ),
        env=peers.surroundings(),
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
