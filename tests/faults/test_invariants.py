"""The checks see what is wrong in a journal; they are worth no more than that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.invariants import (
    Check,
    none_refused,
    one_reply,
    ran_once,
    refused_for_now,
    spared,
    stayed_open,
    unbroken,
)
from tests.faults.journal import Entry
from tests.faults.verdict import Failed, demand

CHECKS = (one_reply, ran_once, unbroken, spared, none_refused, stayed_open)


def entry(what: str, **said: Any) -> Entry:
    return {"what": what, "at": 0, **said}


SENT = entry("sent", attempt="a", call="c", pid=1)
ACCEPTED = entry("accepted", attempt="a")
ANSWERED = entry("answered", attempt="a", how="result")
RAN = entry("ran", call="c")
GOOD = [SENT, ACCEPTED, RAN, ANSWERED]


def event(number: int, said: int | None = None) -> Entry:
    return entry("event", stream="s", number=number, said=said)


def test_a_journal_without_a_fault_has_none() -> None:
    events = [event(1, 1), event(2, 2), event(3)]
    demand([*GOOD, *events], *CHECKS, refused_for_now)


BROKEN = entry("broken", attempt="a", pid=1)
REFUSED = entry("refused", attempt="a", status=503)
KILLED = entry("killed", pid=1)


@pytest.mark.parametrize(
    ("check", "journal"),
    [
        (one_reply, [SENT, ACCEPTED]),
        (one_reply, [SENT]),
        (one_reply, [*GOOD, ANSWERED]),
        (one_reply, [SENT, ANSWERED]),
        (one_reply, [SENT, ACCEPTED, REFUSED]),
        (ran_once, [*GOOD, RAN]),
        (ran_once, [SENT, ACCEPTED, ANSWERED]),
        (
            ran_once,
            [*GOOD, {**SENT, "attempt": "b"}, {**ANSWERED, "attempt": "b"}],
        ),
        (unbroken, [event(1), event(3)]),
        (unbroken, [event(2)]),
        (unbroken, [event(1), event(1)]),
        (unbroken, [event(1), event(2), event(1)]),
        (unbroken, [event(1, 1), event(2, 3)]),
        (spared, [SENT, BROKEN]),
        (spared, [SENT, ACCEPTED, {**ANSWERED, "how": "error"}]),
        (spared, [SENT, ACCEPTED, entry("gone", attempt="a")]),
        (none_refused, [SENT, REFUSED]),
        (refused_for_now, [SENT, {**REFUSED, "status": 500}]),
        (refused_for_now, [entry("refused", attempt="alone.1", status=503)]),
        (stayed_open, [BROKEN]),
        (stayed_open, [entry("back", behind="x")]),
    ],
)
def test_each_fault_is_seen(check: Check, journal: list[Entry]) -> None:
    assert check(journal)
    with pytest.raises(Failed, match=check.__name__):
        demand(journal, check)


def test_who_was_killed_may_break() -> None:
    error = {**ANSWERED, "how": "error"}
    assert spared([SENT, BROKEN, KILLED]) == []
    assert spared([SENT, ACCEPTED, error, KILLED]) == []


def test_who_was_turned_away_may_fail_when_it_is_sent_again() -> None:
    again = {**SENT, "attempt": "b"}
    error = entry("answered", attempt="b", how="error")
    journal = [SENT, REFUSED, again, entry("accepted", attempt="b"), error]
    demand(journal, one_reply, ran_once, spared)
