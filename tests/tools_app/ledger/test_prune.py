"""``manage.py mcp prune`` deletes what is old, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.tools_app.ledger.calls import add_calls, call
from tools_app.ledger import pruning
from tools_app.ledger.statistics import Selection, totals
from tools_app.models import Call, CallCount

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("mcp", "prune", *words, stdout=out)
    return out.getvalue()


def left() -> set[str]:
    return set(Call.objects.values_list("name", flat=True))


@pytest.fixture(autouse=True)
def calls() -> None:
    Call.objects.bulk_create(
        call(name=f"{days} days", ago=timedelta(days=days, hours=1))
        for days in (0, 6, 7, 89, 90, 400)
    )


def test_ninety_days_are_left_unless_told_otherwise() -> None:
    assert run().startswith("2 calls from before ")
    assert left() == {"0 days", "6 days", "7 days", "89 days"}


@override_settings(MCP_LEDGER={"RETENTION_DAYS": 7})
def test_the_settings_say_how_many_are_left() -> None:
    run()
    assert left() == {"0 days", "6 days"}


def test_the_command_says_how_many_are_left() -> None:
    run("--days", "1")
    assert left() == {"0 days"}


def test_what_is_from_before_a_day_is_deleted() -> None:
    day = timezone.localdate() - timedelta(days=30)
    assert f"before {day} 00:00" in run("--before", str(day))
    assert left() == {"0 days", "6 days", "7 days"}


def test_a_dry_run_deletes_nothing() -> None:
    said = run("--dry-run", "--days", "7")
    assert said.startswith("4 calls from before ")
    assert said.endswith(" would be deleted.\n")
    assert len(left()) == 6


@pytest.mark.parametrize(
    "words",
    [
        ["--days", "0"],
        ["--days", "-1"],
        ["--days", "x"],
        ["--days", "99999"],
        ["--before", "yesterday"],
        ["--before", "2026-13-01"],
        ["--before", "9999-12-31"],
        ["--before", "2020-01-01", "--days", "1"],
    ],
)
def test_what_means_nothing_is_refused(words: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*words)
    assert len(left()) == 6


def test_many_are_deleted_by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "CHUNK_ROWS", 10)
    at = timezone.now() - timedelta(days=100)
    # More of one moment than a part has.
    Call.objects.bulk_create(call() for _ in range(25))
    Call.objects.filter(name="greet").update(at=at)
    Call.objects.bulk_create(
        call(ago=timedelta(days=100, minutes=n)) for n in range(35)
    )
    with CaptureQueriesContext(connection) as captured:
        assert run().startswith("62 calls")
    deletions = [q for q in captured if q["sql"].startswith("DELETE")]
    assert len(deletions) >= 4
    assert len(left()) == 4


def test_counts_are_left_as_long_as_a_period_has_them() -> None:
    agos = [timedelta(minutes=90), timedelta(hours=30), timedelta(days=9)]
    add_calls(call(ago=ago) for ago in (timedelta(), *agos, timedelta(days=40)))

    def counted() -> dict[int, int]:
        everything = CallCount.objects.filter(by_name=False, by_token=False)
        sums = everything.order_by("step_minutes").values_list("step_minutes")
        return dict(sums.annotate(Sum("calls")))

    assert counted() == {1: 5, 15: 5, 120: 5, 480: 5}
    run("--days", "1")
    assert counted() == {1: 1, 15: 2, 120: 3, 480: 4}
    assert Call.objects.filter(name="greet").count() == 2
    # What the calls were deleted of is still told.
    assert totals(Selection.of("month")).calls == 4
