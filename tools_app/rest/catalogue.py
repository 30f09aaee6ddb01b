"""/api/catalogue/: all entries, served or not, and what the asking user could use."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mcp_transport.callers import acting_as
from mcp_transport.engine.catalogue import KINDS
from mcp_transport.engine.store import StoreUnavailable
from tools_app.catalogue.entry import Visibility
from tools_app.catalogue.inventory import EntryStatus, Item, inventory
from tools_app.rest.access import Pages, PrivateView, Unavailable
from tools_app.rest.entries import catalogue_admin
from tools_app.scopes import EVERYTHING

ORDERS = ["kind", "name", "scope", "status"]
STATUSES: list[str] = EntryStatus.values


class EntrySerializer(serializers.Serializer[Item]):
    kind = serializers.ChoiceField(choices=KINDS)
    key = serializers.CharField(help_text="What a client names it by.")
    name = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    description = serializers.CharField()
    scope = serializers.CharField(
        allow_null=True,
        help_text="What a token must grant; null where nothing is left that says it.",
    )
    permission = serializers.CharField(
        allow_null=True, help_text="What Django must grant to the user, if anything."
    )
    tags = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(
        choices=EntryStatus.choices, help_text="Only what is on is served."
    )
    reason = serializers.CharField(
        allow_null=True, help_text="Why it is not servable, if it is not."
    )
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    usable = serializers.SerializerMethodField(
        help_text="Whether the asking user could use it, with a token that grants all."
    )

    def get_usable(self, item: Item) -> bool:
        return item.entry is not None and item.entry.visible(self.context["caller"])


class CatalogueView(PrivateView, GenericAPIView[Any]):
    """All tools, resources, templates and prompts, for administrators: what is not
    served, for those who may view the catalogue in the admin.
    """

    serializer_class = EntrySerializer
    pagination_class = Pages

    def get_serializer_context(self) -> dict[str, Any]:
        everything = frozenset({EVERYTHING})
        user = self.request.user
        caller = acting_as(user, subject=f"user:{user.pk}", scopes=everything)
        return {**super().get_serializer_context(), "caller": caller}

    @extend_schema(
        parameters=[
            OpenApiParameter("kind", enum=KINDS),
            OpenApiParameter("status", enum=STATUSES),
            OpenApiParameter("ordering", enum=[*ORDERS, *(f"-{o}" for o in ORDERS)]),
        ],
        responses=EntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        items = self.paginate_queryset(self.get_queryset())
        shown = self.get_serializer(items, many=True).data
        return self.get_paginated_response(shown)

    def get_queryset(self) -> Any:
        """Return the entries that are asked for: a list."""
        request = self.request
        kind = _chosen(request, "kind", [*KINDS], None)
        status = _chosen(request, "status", STATUSES, None)
        orders = [*ORDERS, *(f"-{order}" for order in ORDERS)]
        order = _chosen(request, "ordering", orders, "kind") or "kind"
        sees_all = catalogue_admin().has_view_permission(request._request)
        items = [
            item
            for item in _all_items()
            if kind in (None, item.kind)
            and status in (None, item.status)
            and (sees_all or item.entry is not None)
        ]
        by = order.removeprefix("-")
        items.sort(key=lambda item: item.key)
        items.sort(key=lambda item: getattr(item, by) or "", reverse=order[0] == "-")
        return items


def _all_items() -> list[Item]:
    try:
        return inventory()
    except (StoreUnavailable, DatabaseError):
        raise Unavailable("The catalogue cannot be read at the moment.") from None


def _chosen(
    request: Request, name: str, choices: list[str], default: str | None
) -> str | None:
    """Return a parameter of the query. Raises ValidationError, naming the choices."""
    value = request.query_params.get(name, default)
    if value is not None and value not in choices:
        raise ValidationError({name: f"There are {', '.join(choices)}."})
    return value
