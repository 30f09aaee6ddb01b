"""/api/catalogue/: what the code registers, and what the asking user could use."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mcp_transport.callers import acting_as
from mcp_transport.conf import get_server
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import KINDS
from mcp_transport.engine.entry import Entry, Kind
from mcp_transport.engine.store import StoreUnavailable
from tools_app.rest.access import Pages, PrivateView, Unavailable
from tools_app.scopes import EVERYTHING

ORDERS = ["kind", "name", "scope"]
# Whom a catalogue hides nothing from.
_EVERYBODY = Caller("catalogue", scopes=frozenset({EVERYTHING}), is_superuser=True)
_AT_A_TIME = 1000


class EntrySerializer(serializers.Serializer[Entry]):
    kind = serializers.ChoiceField(choices=KINDS)
    key = serializers.CharField(help_text="What a client names it by.")
    name = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    description = serializers.CharField()
    scope = serializers.CharField(help_text="What a token must grant.")
    permission = serializers.CharField(
        allow_null=True, help_text="What Django must grant to the user, if anything."
    )
    tags = serializers.SerializerMethodField()
    usable = serializers.SerializerMethodField(
        help_text="Whether the asking user could use it, with a token that grants all."
    )

    def get_tags(self, entry: Entry) -> list[str]:
        return sorted(entry.tags)

    def get_usable(self, entry: Entry) -> bool:
        return entry.visible(self.context["caller"])


class CatalogueView(PrivateView, GenericAPIView[Any]):
    """All tools, resources, templates and prompts, for administrators."""

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
            OpenApiParameter("ordering", enum=[*ORDERS, *(f"-{o}" for o in ORDERS)]),
        ],
        responses=EntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        entries = self.paginate_queryset(self.get_queryset())
        shown = self.get_serializer(entries, many=True).data
        return self.get_paginated_response(shown)

    def get_queryset(self) -> Any:
        """Return the entries that are asked for: a list."""
        request = self.request
        kind = _chosen(request, "kind", [*KINDS], None)
        orders = [*ORDERS, *(f"-{order}" for order in ORDERS)]
        order = _chosen(request, "ordering", orders, "kind") or "kind"
        try:
            entries = async_to_sync(_entries)([k for k in KINDS if kind in (None, k)])
        except StoreUnavailable:
            raise Unavailable("The catalogue cannot be read at the moment.") from None
        by = order.removeprefix("-")
        entries.sort(key=lambda entry: entry.key)
        entries.sort(key=lambda entry: getattr(entry, by), reverse=order[0] == "-")
        return entries


def _chosen(
    request: Request, name: str, choices: list[str], default: str | None
) -> str | None:
    """Return a parameter of the query. Raises ValidationError, naming the choices."""
    value = request.query_params.get(name, default)
    if value is not None and value not in choices:
        raise ValidationError({name: f"There are {', '.join(choices)}."})
    return value


async def _entries(kinds: list[Kind]) -> list[Entry]:
    """Return all entries of some kinds, as any Catalogue gives them: by pages."""
    catalogue, found = get_server().catalogue, list[Entry]()
    for kind in kinds:
        after: str | None = None
        while True:
            page = await catalogue.page(kind, _EVERYBODY, after, _AT_A_TIME)
            found += page.entries
            after = page.next
            if after is None:
                break
    return found
