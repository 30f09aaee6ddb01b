"""Who was refused because a limit was reached: the rates, and how many at a time."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Value
from django.db.models.functions import Coalesce

from mcp_transport.engine.observing import Outcome
from mcp_transport.protocol.errors import TOO_MANY_REQUESTS
from tools_app.ledger.statistics import Selection


@dataclass(frozen=True, slots=True)
class Limited:
    """How many calls of a token were refused; of none, where ``token`` is None."""

    token: int | None
    label: str
    refused: int


def limited(selection: Selection) -> list[Limited]:
    """Return who was refused calls, most refused first. One query."""
    groups = (
        selection.calls()
        # By the outcome they are found in an index.
        .filter(outcome=Outcome.ERROR, error_code=TOO_MANY_REQUESTS)
        .values("token", label=Coalesce("token__name", Value("")))
        .annotate(refused=Count("pk"))
        .order_by("-refused", "token")
    )
    return [
        Limited(group["token"], group["label"], group["refused"]) for group in groups
    ]
