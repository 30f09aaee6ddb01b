"""The official conformance suite finds nothing to complain of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import suite
from tests.conformance.suite import Report
from tests.serving import Served

# How many checks the official Python SDK's own fixture server passes over the same
# scenarios; fewer would mean that some were skipped. But one for 2025-11-25, which
# looks at event streams where we answer tools/list with plain JSON.
REFERENCE = {
    "2025-03-26": 3,
    "2025-06-18": 56,
    "2025-11-25": 84 - 1,
    "2026-07-28": 152,
}
SCENARIOS = {"2025-03-26": 1, "2025-06-18": 27, "2025-11-25": 33, "2026-07-28": 40}
SCORED = {"2025-11-25": 30, "2026-07-28": 37}


# Scored scenarios of tools and prompts that any error, or an empty list, satisfies;
# test_rounds.py looks at what they mean to see.
BLIND = [
    "input-required-result-unsupported-methods",
    "input-required-result-validate-input",
]


def only_declared(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {
        scenario: checks
        for scenario, checks in found.items()
        if not suite.UNDECLARED.match(scenario)
    }


def assert_each_saw_its_subject(report: Report, scenarios: frozenset[str]) -> None:
    assert sorted(name for name in scenarios if not report.successes(name)) == []


@pytest.mark.parametrize("revision", SCORED)
def test_every_scored_scenario_passes(
    served: Served, tmp_path: Path, revision: str
) -> None:
    scored = suite.required(revision)
    report = suite.run(served.url, tmp_path, "--requirements", revision)

    assert only_declared(report.of("FAILURE", "WARNING")) == {}
    assert report.exit_code == 0, report.output
    assert len(scored) == SCORED[revision]
    assert scored <= set(report.scenarios)
    assert_each_saw_its_subject(report, scored)


@pytest.mark.parametrize("revision", SCENARIOS)
def test_every_scenario_passes_but_for_the_baseline(
    served: Served, tmp_path: Path, revision: str
) -> None:
    scenarios = suite.applicable(revision)
    report = suite.run(
        served.url,
        tmp_path,
        *("--suite", "all", "--spec-version", revision),
        *("--expected-failures", suite.BASELINES / f"{revision}.yml"),
    )

    assert report.of("FAILURE", "WARNING", "SKIPPED") == {}
    assert report.exit_code == 0, report.output
    assert set(report.scenarios) == scenarios
    assert len(scenarios) == SCENARIOS[revision]
    assert report.statuses()["SUCCESS"] == REFERENCE[revision]
    assert_each_saw_its_subject(report, scenarios)


@pytest.mark.parametrize("revision", SCENARIOS)
def test_the_baselines_excuse_nothing(revision: str) -> None:
    baseline = suite.BASELINES / f"{revision}.yml"
    assert baseline.read_text(encoding="utf-8") == "server: []\n"


@pytest.mark.parametrize("revision", SCORED)
def test_a_server_without_the_fixtures_fails(
    empty: Served, tmp_path: Path, revision: str
) -> None:
    report = suite.run(empty.url, tmp_path, "--requirements", revision)

    subjects = ("tools-call", "resources-read", "prompts-get", "elicitation", "input")
    need_a_fixture = {
        name for name in suite.required(revision) if name.startswith(subjects)
    }
    unmoved = need_a_fixture - set(report.of("FAILURE", "WARNING"))
    assert report.exit_code == 1
    assert len(need_a_fixture) > 15
    assert sorted(unmoved) == sorted(need_a_fixture.intersection(BLIND))
