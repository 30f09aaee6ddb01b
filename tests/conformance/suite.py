"""Runs the official conformance suite and reads what it found."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import peers

BASELINES = Path(__file__).parent / "baselines"
SUITE_TIMEOUT_S = 240
# Extensions that this server does not declare: their scenarios cannot pass.
UNDECLARED = re.compile(r"tasks-|sep-2640-")
# The one check that every scenario makes of whatever the server says.
GENERIC = "wire-schema-valid"

Check = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """One run: what the program said, and the checks of each scenario."""

    exit_code: int
    output: str
    scenarios: Mapping[str, list[Check]]

    def of(self, *statuses: str) -> dict[str, list[str]]:
        """Return the checks that ended so, by scenario, each with its reason."""
        found = {
            name: [
                f"{check['id']}: {check.get('errorMessage', '')}"
                for check in checks
                if check["status"] in statuses
            ]
            for name, checks in self.scenarios.items()
        }
        return {name: checks for name, checks in found.items() if checks}

    def successes(self, scenario: str) -> int:
        """Count the checks of its own subject that a scenario passed."""
        return sum(
            check["status"] == "SUCCESS" and check["id"] != GENERIC
            for check in self.scenarios[scenario]
        )

    def statuses(self) -> Counter[str]:
        return Counter(
            check["status"] for checks in self.scenarios.values() for check in checks
        )


def command(*arguments: str | Path) -> list[str | Path]:
    return [peers.node_program("conformance", "conformance"), *arguments]


def run(url: str, into: Path, *options: str | Path) -> Report:
    """Run the suite's server scenarios against ``url``, keeping checks in ``into``."""
    ran = peers.run(
        command("server", "--url", url, "-o", into, *options),
        timeout_s=SUITE_TIMEOUT_S,
    )
    return Report(ran.returncode, ran.stdout + ran.stderr, _scenarios(into))


def required(revision: str) -> frozenset[str]:
    """Return the server scenarios that are scored for a revision."""
    listed = peers.run(command("list", "--requirements", revision), timeout_s=60)
    _, server, rest = listed.stdout.partition("Server scenarios")
    server, _, _ = rest.partition("Client scenarios")
    return frozenset(re.findall(r"^  - (\S+)$", server, re.MULTILINE))


def applicable(revision: str) -> frozenset[str]:
    """Return every server scenario that exists at a revision."""
    listed = peers.run(
        command("list", "--server", "--spec-version", revision), timeout_s=60
    )
    return frozenset(re.findall(r"^  - (\S+)", listed.stdout, re.MULTILINE))


def _scenarios(into: Path) -> dict[str, list[Check]]:
    """Read the checks; a directory is named server-SCENARIO-TIMESTAMP."""
    found: dict[str, list[Check]] = {}
    for file in sorted(into.glob("server-*/checks.json")):
        name = re.sub(r"-\d{4}-\d\d-\d\dT.*$", "", file.parent.name)
        found[name.removeprefix("server-")] = json.loads(file.read_text("utf-8"))
    return found
