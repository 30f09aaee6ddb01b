"""What the list of the catalogue shows beside the rows, and what it can be cut to.

However many entries there are, a page takes the same number of queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import (
    Case,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tools_app.call import MAX_NAME_CHARS, Call
from tools_app.catalogue.configured import served_catalogue
from tools_app.catalogue.entry import OVERRIDES, CatalogueEntry
from tools_app.ledger.statistics import Selection, counts

RECENT = "day"
METHODS = {
    "tools": "tools/call",
    "resources": "resources/read",
    "prompts": "prompts/get",
}


@dataclass(frozen=True, slots=True)
class Calls:
    """How an entry was called: of late, and when for the last time."""

    last_at: datetime | None
    recent: int
    failed: int


def recent_calls() -> Mapping[tuple[str, str], tuple[int, int]]:
    """Return how many calls there were of late, and how many failed, by method and
    name; in one query. What was not called is missing.
    """
    found = (
        counts(Selection.of(RECENT), by_name=True)
        .values_list("method", "name")
        .annotate(Sum("calls"), Sum("errors"))
    )
    return {(method, name): (calls, errors) for method, name, calls, errors in found}


def last_calls(rows: Iterable[CatalogueEntry]) -> Mapping[int, datetime | None]:
    """Return when the rows were called last, by primary key; in one query."""
    method = Case(
        *(When(kind=kind, then=Value(name)) for kind, name in METHODS.items()),
        default=Value(""),
    )
    # An index has the newest call of a name.
    calls = Call.objects.filter(
        method=OuterRef("method"), name=Left(OuterRef("key"), MAX_NAME_CHARS)
    )
    last = Subquery(calls.order_by("-at").values("at")[:1])
    found = CatalogueEntry.objects.filter(pk__in=[row.pk for row in rows])
    return dict(found.annotate(method=method, last=last).values_list("pk", "last"))


def place_of(kind: str, key: str) -> tuple[str, str]:
    """Return the method and name that the calls of an entry have in the ledger.

    What is read by a template is there under the URI that was read.
    """
    return METHODS.get(kind, ""), key[:MAX_NAME_CHARS]


class CatalogueList(ChangeList):
    """Gives each row of the page its ``calls``, and why it is not served."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        recent, last, broken = recent_calls(), last_calls(rows), broken_rows()
        for row in rows:
            made, failed = recent.get(place_of(row.kind, row.key), (0, 0))
            row.calls = Calls(last[row.pk], made, failed)
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
        calls = recent_calls()
        found = []
        for pk, kind, key in queryset.values_list("pk", "kind", "key"):
            made, failed = calls.get(place_of(kind, key), (0, 0))
            wanted = {"some": made > 0, "failed": failed > 0, "none": made == 0}
            if wanted[chosen]:
                found.append(pk)
        return queryset.filter(pk__in=found)
