"""T18: the official conformance suite, at each revision, against our own server."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from tests.conformance import suite
from tests.conformance.conftest import MOUNTS, settings
from tests.conformance.suite import Report
from tests.faults.verdict import require
from tests.serving import mcp_serves


@dataclass(frozen=True)
class Size:
    """At which revisions, and which scenarios must be among those that ran."""

    revisions: tuple[str, ...]
    named: tuple[str, ...]


SMALL = Size(
    revisions=("2026-07-28",),
    named=("dns-rebinding-protection", "http-header-validation", "server-stateless"),
)
FULL = Size(
    revisions=("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"),
    named=(*SMALL.named, "server-session-lifecycle", "server-sse-polling"),
)


async def run(size: Size, directory: Path) -> str:
    options = (f"--access-log={os.devnull}",)
    environ = settings("settings")
    with mcp_serves(1, MOUNTS["lean"], directory, environ=environ, options=options) as (
        served,
    ):
        reports = {
            revision: await asyncio.to_thread(_report, served, revision, directory)
            for revision in size.revisions
        }
        require("Traceback" not in served.said(), f"{served} has failed at something")
    ran = {name for report in reports.values() for name in report.scenarios}
    require(ran >= set(size.named), f"did not run: {set(size.named) - ran}")
    figures = [
        f"{revision} {len(report.scenarios)} scenarios, "
        f"{report.statuses()['SUCCESS']} checks"
        for revision, report in reports.items()
    ]
    return f"every check passed: {'; '.join(figures)}"


def _report(served: Served, revision: str, directory: Path) -> Report:
    """Run every scenario that there is at a revision. Raises Failed."""
    scenarios = suite.applicable(revision)
    into = directory / revision
    options = ("--suite", "all", "--spec-version", revision)
    report = suite.run(served.url, into, *options)
    failed = report.of("FAILURE", "WARNING", "SKIPPED")
    require(not failed, f"{revision}: {failed}")
    require(report.exit_code == 0, f"{revision}: {report.output[-500:]}")
    missing = scenarios - set(report.scenarios)
    require(not missing, f"{revision}: did not run {missing}")
    idle = [name for name in scenarios if not report.successes(name)]
    require(not idle, f"{revision}: nothing was checked by {idle}")
    return report
