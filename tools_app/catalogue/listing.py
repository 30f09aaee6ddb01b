"""What the list of the catalogue shows beside the rows, and what it can be cut to.

However many entries there are, a page takes the same number of queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import (
    Case,
    Count,
    Exists,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tools_app.call import FAILURES, MAX_NAME_CHARS, Call
from tools_app.catalogue.configured import served_catalogue
from tools_app.catalogue.entry import OVERRIDES, CatalogueEntry

RECENT = timedelta(hours=24)
METHODS = {
    "tools": "tools/call",
    "resources": "resources/read",
    "prompts": "prompts/get",
}


@dataclass(frozen=True, slots=True)
class Calls:
    """How an entry was called: of late, and when for the last time."""

    last_at: datetime | None = None
    recent: int = 0
    failed: int = 0


NEVER = Calls()


def calls_of(rows: Iterable[CatalogueEntry]) -> Mapping[tuple[str, str], Calls]:
    """Return how the rows were called, by method and name; in one query.

    What is read by a template is in the ledger under the URI that was read.
    """
    since = Q(at__gte=timezone.now() - RECENT)
    failed = Q(outcome__in=[outcome.value for outcome in FAILURES])
    found = (
        Call.objects.filter(
            method__in=METHODS.values(),
            name__in={row.key[:MAX_NAME_CHARS] for row in rows},
        )
        .order_by()
        .values_list("method", "name")
        .annotate(
            last=Max("at"),
            recent=Count("pk", filter=since),
            failed=Count("pk", filter=since & failed),
        )
    )
    return {
        (method, name): Calls(last, recent, failures)
        for method, name, last, recent, failures in found
    }


class CatalogueList(ChangeList):
    """Gives each row of the page its ``calls``, and why it is not served."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        calls, broken = calls_of(rows), broken_rows()
        for row in rows:
            place = (METHODS.get(row.kind, ""), row.key[:MAX_NAME_CHARS])
            row.calls = calls.get(place, NEVER)
            row.broken = broken.get(row.pk)
        self.result_list = rows


def broken_rows() -> Mapping[int, str]:
    """Return why rows are not served, by primary key; of another catalogue none."""
    served = served_catalogue()
    return {} if served is None else served.current().broken


# What is changed from the code: each of the fields has what it has untouched.
UNTOUCHED = Q(
    **{
        f"{name}__isnull" if value is None else name: True if value is None else value
        for name, value in OVERRIDES.items()
    }
)


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [
            ("on", _("on")),
            ("off", _("off")),
            ("missing", _("code gone")),
            ("broken", _("not servable")),
            ("changed", _("changed from the code")),
            ("unlisted", _("not listed")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "broken":
            return queryset.filter(pk__in=list(broken_rows()))
        conditions = {
            "on": Q(enabled=True),
            "off": Q(enabled=False),
            "missing": Q(missing_since__isnull=False),
            "changed": Q(source="code") & ~UNTOUCHED,
            "unlisted": Q(visibility="unlisted"),
        }
        return queryset.filter(conditions[chosen]) if chosen in conditions else queryset


class TagFilter(admin.SimpleListFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        tags = model_admin.get_queryset(request).values_list("pk", "tags", "code__tags")
        # Not every database can look into JSON for it.
        self._tagged: dict[str, list[int]] = {}
        for pk, said, of_code in tags:
            for tag in (of_code or []) if said is None else said:
                self._tagged.setdefault(tag, []).append(pk)
        return [(tag, tag) for tag in sorted(self._tagged)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        return queryset.filter(pk__in=self._tagged.get(chosen, []))


class CallsFilter(admin.SimpleListFilter):
    title = _("calls of the last 24 hours")
    parameter_name = "calls"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [
            ("some", _("called")),
            ("failed", _("called, with errors")),
            ("none", _("not called")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen not in ("some", "failed", "none"):
            return queryset
        calls = Call.objects.filter(at__gte=timezone.now() - RECENT).order_by()
        if chosen == "failed":
            calls = calls.filter(outcome__in=[outcome.value for outcome in FAILURES])
        method = Case(
            *(When(kind=kind, then=Value(name)) for kind, name in METHODS.items()),
            default=Value(""),
        )
        called = Exists(
            calls.filter(
                method=OuterRef("method"), name=Left(OuterRef("key"), MAX_NAME_CHARS)
            )
        )
        known: QuerySet[Any] = queryset.annotate(method=method)
        return known.filter(~called if chosen == "none" else called)
