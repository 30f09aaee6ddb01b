"""What keeps the list of calls usable, however long it is: a count that ends, and
filters that do not read all rows.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from tools_app.call import NAMED_BY
from tools_app.ledger.days import midnight
from tools_app.models import Call

# So many rows can be paged through; who looks for others filters.
MAX_LISTED = 10_000
# The filters offer what is to be found in so many of the newest rows.
RECENT = 2000
DAYS = 7

Choices = list[tuple[str, str]]

_TOKEN = re.compile(r"[0-9]{1,18}")  # what every database keeps as a key


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than can be paged, so that no page counts all rows."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MAX_LISTED].count())


class MethodFilter(admin.SimpleListFilter):
    title = _("method")
    parameter_name = "method"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Choices:
        return [(method, method) for method in NAMED_BY]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(method=self.value()) if self.value() else queryset


class DayFilter(admin.SimpleListFilter):
    """Offers the last days, and takes any: ``?day=2026-03-01``.

    The admin's own hierarchy of dates reads all rows to know which days have some.
    """

    title = _("day")
    parameter_name = "day"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Choices:
        today = timezone.localdate()
        days = [(today - timedelta(days=n)).isoformat() for n in range(DAYS)]
        chosen = self.value()
        if chosen is not None and chosen not in days:
            days.append(chosen)
        return [(day, day) for day in days]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        try:
            day = date.fromisoformat(chosen)
            ends_at = midnight(day + timedelta(days=1))
        except (ValueError, OverflowError):
            raise IncorrectLookupParameters("a day is written YYYY-MM-DD") from None
        return queryset.filter(at__gte=midnight(day), at__lt=ends_at)


class RecentFilter(admin.SimpleListFilter):
    """Offers the values that the newest rows have, and the one that is chosen: to
    look for all that there are would be to read all rows.
    """

    parameter_name: str

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Choices:
        found = Call.objects.values_list(self.parameter_name, flat=True)[:RECENT]
        values = {*found, self.value()}
        return [(value, value) for value in sorted(filter(None, values))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.parameter_name: value}) if value else queryset


class DoorFilter(RecentFilter):
    title = _("transport")
    parameter_name = "door"


class RevisionFilter(RecentFilter):
    title = _("revision")
    parameter_name = "revision"


class TokenFilter(admin.SimpleListFilter):
    title = _("token")
    parameter_name = "token"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Choices:
        found = Call.objects.filter(token__isnull=False)
        newest = found.values_list("token", "token__name")[:RECENT]
        names = {str(pk): name for pk, name in newest}
        chosen = self.value()
        if chosen is not None:
            names.setdefault(chosen, f"#{chosen}")
        return sorted(names.items(), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        if not _TOKEN.fullmatch(chosen):
            raise IncorrectLookupParameters("a token is chosen by its number")
        return queryset.filter(token=int(chosen))
