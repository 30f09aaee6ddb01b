"""A tool that looks up rows of a model: no code, and no field but those named.

Spec: 2026-07-28 server/tools.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from inspect import Parameter
from operator import or_
from typing import Annotated, Any, Literal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pydantic import Field
from typing_extensions import TypedDict

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.context import Context
from mcp_transport.engine.errors import ToolError
from mcp_transport.engine.tool import Tool
from tools_app.kinds.declared import declared, parameter
from tools_app.kinds.filtering import Filter, find_filter, usable_value
from tools_app.kinds.keyset import Order, Rows, find_order
from tools_app.kinds.kind import EntryKind, Made
from tools_app.kinds.modelfield import (
    FieldPath,
    find_model,
    find_owner,
    find_path,
    find_searchable,
    view_permission,
)
from tools_app.kinds.query_form import QueryForm
from tools_app.kinds.stopping import stopping_with

# Made of data here, where a checker of types wants to see what they hold.
typed_dict: Any = TypedDict
literal: Any = Literal
list_of: Any = list
Row = dict[str, Any]

MAX_PAGE_CHARS = 500_000
# How many rows are in memory at once, besides those of the page.
AT_A_TIME = 20
MAX_SEARCH_CHARS = 200
MAX_SEARCH_WORDS = 10
# The arguments beside the filters. A filter on a field of such a name is written
# with its lookup, as in limit__exact.
OWN_ARGUMENTS = ("context", "cursor", "limit", "order_by", "search")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Query(Tool):
    """A tool that needs Django's permission to view each model it looks into."""

    needs: frozenset[str]

    def permitted(self, caller: Caller) -> bool:
        return Tool.permitted(self, caller) and all(
            map(caller.has_permission, self.needs)
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """What a query may read, each path found and checked.

    ``orders`` are those that a caller can choose, by their names, the usual one first.
    """

    model: type[models.Model]
    fields: tuple[FieldPath, ...]
    filters: tuple[Filter, ...]
    search: tuple[FieldPath, ...]
    orders: Mapping[str, Order]
    owner: str | None
    page_size: int
    needs: frozenset[str]

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Selection:
        """Read the spec of an entry. Raises ValueError, in plain words."""
        model = find_model(spec["model"])
        fields = tuple(find_path(model, path) for path in spec["shown_fields"])
        filters = tuple(find_filter(model, name) for name in spec["filters"])
        search = tuple(find_searchable(model, path) for path in spec["search_fields"])
        orders = [find_order(model, n, spec["shown_fields"]) for n in spec["ordering"]]
        check_names(filters)
        read = [*fields, *(f.path for f in filters), *search]
        read += [key.field for order in orders for key in order.keys]
        return cls(
            model=model,
            fields=fields,
            filters=filters,
            search=search,
            orders={each.name: each for each in orders or [Order.of(model, "")]},
            owner=find_owner(model, spec["owner"]) if spec["owner"] else None,
            page_size=spec["page_size"],
            needs=frozenset(view_permission(m) for path in read for m in path.models),
        )

    def parameters(self) -> list[Parameter]:
        """Return what the tool takes: the filters and where in the rows to begin."""
        found = [parameter("context", Context, Parameter.empty)]
        if self.search:
            where = ", ".join(path.label for path in self.search)
            text = f"Words that all have to be found in: {where}"
            limits = Field(max_length=MAX_SEARCH_CHARS, description=text)
            found.append(parameter("search", Annotated[str, limits], ""))
        found += [parameter(f.name, f.annotation, None) for f in self.filters]
        if len(self.orders) > 1:
            text = "What the rows are sorted by; a minus sorts downward"
            names: Any = literal[tuple(self.orders)]
            names = Annotated[names, Field(description=text)]
            found.append(parameter("order_by", names, self.usual_order))
        size = Field(ge=1, le=self.page_size, description="How many rows at most")
        found.append(parameter("limit", Annotated[int, size], self.page_size))
        text = "next_cursor of the last result; leave it out to begin"
        start = Annotated[str, Field(description=text)]
        found.append(parameter("cursor", start, None))
        return found

    @property
    def usual_order(self) -> str:
        return next(iter(self.orders))

    def order(self, arguments: Mapping[str, Any]) -> Order:
        return self.orders[arguments.get("order_by", self.usual_order)]

    def returns(self) -> Any:
        """Return the type of the result, with the fields that were named alone."""
        row = typed_dict(
            "Row",
            {p.path: p.value | None if p.nullable else p.value for p in self.fields},
        )
        said = "Where the next rows begin; null when there are no more"
        following = Annotated[str | None, Field(description=said)]
        return typed_dict("Rows", {"rows": list_of[row], "next_cursor": following})

    def rows(self, context: Context, arguments: Mapping[str, Any]) -> Rows:
        """Return the rows that fit, in no order. Raises ValueError."""
        rows = self.model._default_manager.all()
        if self.owner is not None:
            # By the primary key, whatever the foreign key refers to: somebody's name
            # may read as another's key.
            rows = rows.filter(**{f"{self.owner}__pk": _user_id(context)})
        for each in self.filters:
            value = arguments[each.name]
            if value is not None:
                rows = rows.filter(**dict([each.condition(value)]))
        for word in _words(arguments.get("search", "")):
            found = (Q(**{f"{path.path}__icontains": word}) for path in self.search)
            rows = rows.filter(reduce(or_, found))
        return rows


class QueryKind(EntryKind):
    name = "query"
    label = _("query of a model")
    summary = _(
        "A tool that looks up rows of a model, and shows those fields that are named."
    )
    makes = "tools"
    form = QueryForm

    def build(self, made: Made) -> Query:
        selection = Selection.of(made.spec)
        shown = [path.path for path in selection.fields]

        def look_up(context: Context, **arguments: Any) -> dict[str, Any]:
            order = selection.order(arguments)
            purpose = f"{made.key}:{context.caller.subject}"
            try:
                position = order.find(purpose, arguments["cursor"])
                rows = selection.rows(context, arguments)
            except ValueError as error:
                raise ToolError(f"Invalid arguments:\n- {error}") from None
            read = list(dict.fromkeys([*shown, *order.paths]))
            parts, limit = order.after(rows, position), arguments["limit"]
            # One more than is shown tells whether there are more.
            with closing(_found(context, parts, read, limit + 1)) as found:
                page, more = _page(found, limit)
            return {
                "rows": [{path: row[path] for path in shown} for row in page],
                "next_cursor": order.cursor(purpose, page[-1]) if more else None,
            }

        tool = Query.of(
            declared(look_up, selection.parameters(), selection.returns()),
            name=made.key,
            title=made.title or None,
            description=made.description or _described(selection),
            permission=view_permission(selection.model),
            needs=selection.needs,
            read_only=True,
            open_world=False,
        )
        assert isinstance(tool, Query)
        return tool


def _user_id(context: Context) -> Any:
    user = context.user
    if user is None or user.pk is None:
        raise ToolError("Only a user has rows of its own, and this caller is none.")
    return user.pk


def check_names(filters: Sequence[Filter]) -> None:
    """Raise ValueError for a filter that would take another argument's name."""
    for each in filters:
        if each.name in OWN_ARGUMENTS:
            raise ValueError(f"{each.name}: write this filter as {each.name}__exact")


def _words(search: str) -> list[str]:
    """Raises ValueError for words that no row can have."""
    return usable_value("search", search).split()[:MAX_SEARCH_WORDS]  # type: ignore[no-any-return]


def _found(
    context: Context, parts: Sequence[Rows], paths: Sequence[str], most: int
) -> Generator[Row, None, None]:
    """Read ``most`` rows of each part at most, as they are taken."""
    with stopping_with(context, parts[0].db):
        for part in parts:
            for values in part.values_list(*paths)[:most].iterator(AT_A_TIME):
                if context.cancelled:
                    return  # to nobody
                yield dict(zip(paths, values, strict=True))


def _page(rows: Iterator[Row], limit: int) -> tuple[list[Row], bool]:
    """Return at most ``limit`` rows, and whether there are more.

    A page of long texts ends early, but not before its first row.
    """
    page: list[Row] = []
    chars = 0
    for row in rows:
        chars += sum(len(str(value)) for value in row.values())
        if len(page) == limit or (page and chars > MAX_PAGE_CHARS):
            return page, True
        page.append(row)
    return page, False


def _described(selection: Selection) -> str:
    shown = ", ".join(path.label for path in selection.fields)
    plural = selection.model._meta.verbose_name_plural
    return f"Looks up {plural}: {shown}."
