"""/api/catalogue/KIND/KEY/: what is said of one entry, by the rules of the admin.

Who may do what, and what enters the history, the admin itself is asked.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import ValidationError as Refused
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tools_app.catalogue.admin import CatalogueAdmin
from tools_app.catalogue.checking import check_row, why_not_permission
from tools_app.catalogue.entry import OVERRIDES
from tools_app.models import CatalogueEntry
from tools_app.rest.access import PrivateView

_KNOWN = ["kind", "key", "source", "app_label", "missing_since", "code", "changed_at"]


def catalogue_admin() -> CatalogueAdmin:
    return cast(CatalogueAdmin, admin.site.get_model_admin(CatalogueEntry))


class MaySteer(BasePermission):
    """Grants what the admin would grant to the same user."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        asked, rules = request._request, catalogue_admin()
        changes = request.method == "PATCH"
        may = rules.has_change_permission if changes else rules.has_view_permission
        return admin.site.has_permission(asked) and bool(may(asked))


class RowSerializer(serializers.ModelSerializer[CatalogueEntry]):
    """What is said of an entry. Blank and null are: as the code has it, which is
    ``code``.
    """

    class Meta:
        model = CatalogueEntry
        fields = [*_KNOWN, "enabled", *OVERRIDES]
        read_only_fields = _KNOWN
        # A name cannot be changed here, so none has to be free.
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = CatalogueEntry.objects.get(pk=cast(CatalogueEntry, self.instance).pk)
        chosen = attrs.get("permission", row.permission)
        reason = why_not_permission(self.context["request"].user, row, chosen)
        if reason is not None:
            raise ValidationError({"permission": reason})
        for name, value in attrs.items():
            setattr(row, name, value)
        try:
            check_row(row)
        except Refused as error:
            raise ValidationError(serializers.as_serializer_error(error)) from None
        return attrs


class EntryView(PrivateView, GenericAPIView[CatalogueEntry]):
    """One entry: switched on and off, and told in other words than the code's."""

    permission_classes = [MaySteer]
    serializer_class = RowSerializer
    queryset = CatalogueEntry.objects.all()

    def get_object(self) -> CatalogueEntry:
        named = {"kind": self.kwargs["kind"], "key": self.kwargs["key"]}
        if "\0" in "".join(named.values()):
            raise Http404  # PostgreSQL does not look for it, it raises
        return get_object_or_404(self.get_queryset(), **named)

    @extend_schema(operation_id="catalogue_entry_retrieve")
    def get(self, request: Request, kind: str, key: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(operation_id="catalogue_entry_update")
    def patch(self, request: Request, kind: str, key: str) -> Response:
        row = self.get_object()
        given = self.get_serializer(row, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changes = {
            name: value
            for name, value in given.validated_data.items()
            if getattr(row, name) != value
        }
        if changes:
            self._change(request, row, changes)
        return Response(self.get_serializer(row).data)

    def _change(
        self, request: Request, row: CatalogueEntry, changes: dict[str, Any]
    ) -> None:
        """Save, and enter it in the history in the words of the admin."""
        for name, value in changes.items():
            setattr(row, name, value)
        fields = RowSerializer().fields
        labels = [str(fields[name].label) for name in changes]
        with transaction.atomic():
            row.save(update_fields=[*changes, "changed_at"])
            said: Any = [{"changed": {"fields": labels}}]
            catalogue_admin().log_change(request._request, row, said)
