"""Whether a fault test has passed, and how its figures are said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.faults.invariants import Check
from tests.faults.journal import Entry

SHOWN = 5


class Failed(Exception):
    """What did not hold, for one line."""


def require(holds: bool, otherwise: str) -> None:
    """Raises Failed."""
    if not holds:
        raise Failed(otherwise)


def demand(entries: Sequence[Entry], *checks: Check) -> None:
    """Raises Failed with the first few things that are wrong."""
    wrong = [
        f"{check.__name__}: {sentence}"
        for check in checks
        for sentence in check(entries)
    ]
    more = f" ... and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    require(not wrong, "; ".join(wrong[:SHOWN]) + more)


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that ``percent`` of the values do not exceed.

    Raises Failed if there are none.
    """
    ordered = sorted(values)
    require(bool(ordered), "nothing was measured")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def reason(error: BaseException) -> str:
    """Say on one line what went wrong, in tasks side by side as well."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(reason(one) for one in error.exceptions))
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
