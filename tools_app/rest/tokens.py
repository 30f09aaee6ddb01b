"""/api/tokens/: tokens as administrators manage them, by the rules of the admin.

Who may do what, and what enters the history, the admin itself is asked. There is no
access by token: a token that could issue others would outlive its revocation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError as Refused
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tools_app.admin import FIXED_ONCE_REVOKED, TokenAdmin
from tools_app.models import MAX_OVERLAP, OVERLAP, State, Token
from tools_app.rest.access import Pages, PrivateView

_HOUR = timedelta(hours=1)
_RECORD = [
    "public_id",
    "state",
    "created_at",
    "last_used_at",
    "old_secret_until",
    "previous_last_used_at",
    "revoked_at",
]


def token_admin() -> TokenAdmin:
    return cast(TokenAdmin, admin.site.get_model_admin(Token))


class AsInAdmin(BasePermission):
    """Grants what the admin would grant to the same user."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        asked, rules = request._request, token_admin()
        if not admin.site.has_permission(asked):
            return False
        may = {
            "create": rules.has_add_permission,
            "partial_update": rules.has_change_permission,
            "revoke": rules.has_revoke_permission,
            "rotate": rules.has_rotate_permission,
        }
        allowed = may.get(getattr(view, "action", ""), rules.has_view_permission)
        return bool(allowed(asked))

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        if getattr(view, "action", "") != "rotate":
            return True
        return token_admin().has_rotate_permission(request._request, obj)


class OwnerField(serializers.SlugRelatedField[Any]):
    """An owner by user name: for all but superusers that is nobody but oneself."""

    def __init__(self, **options: Any) -> None:
        named = get_user_model().USERNAME_FIELD
        super().__init__(slug_field=named, **options)

    def get_queryset(self) -> QuerySet[Any]:
        users = get_user_model()._default_manager.all()
        user = self.context["request"].user
        return users if user.is_superuser else users.filter(pk=user.pk)


class TokenSerializer(serializers.ModelSerializer[Token]):
    owner = OwnerField(
        default=serializers.CurrentUserDefault(),
        help_text="The name of a user. Only a superuser may issue for others.",
    )
    state = serializers.ChoiceField(choices=State.choices, read_only=True)
    old_secret_until = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Token
        fields = [*_RECORD, *TokenAdmin.form.Meta.fields]
        read_only_fields = _RECORD

    def validate_expires_at(self, expires_at: datetime) -> datetime:
        if expires_at <= timezone.now():
            raise ValidationError(gettext("Choose a time in the future."))
        return expires_at

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hold what cannot be changed to what it was."""
        if self.instance is not None:
            revoked = self.instance.state is State.REVOKED
            fixed = FIXED_ONCE_REVOKED if revoked else ("owner",)
            for name in fixed:
                if name in attrs and attrs[name] != getattr(self.instance, name):
                    raise ValidationError({name: gettext("This cannot be changed.")})
        return attrs


class IssuedSerializer(TokenSerializer):
    """A token with its text: in the reply to its creation or rotation alone."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]


class RotationSerializer(serializers.Serializer[Any]):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=MAX_OVERLAP // _HOUR,
        default=OVERLAP // _HOUR,
        help_text="How long the old secret works on; 0 ends it now.",
    )


class TokenViewSet(
    PrivateView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Token],
):
    """Tokens: issued and rotated with their text in the reply, once; revoked."""

    permission_classes = [AsInAdmin]
    serializer_class = TokenSerializer
    pagination_class = Pages
    queryset = Token.objects.select_related("owner")
    lookup_field = "public_id"
    lookup_value_regex = "[0-9a-z]+"
    filter_backends = [OrderingFilter, SearchFilter]
    ordering_fields = ["name", "created_at", "expires_at", "last_used_at"]
    search_fields = ["name", "public_id", "notes"]

    @extend_schema(responses={201: IssuedSerializer})
    @sensitive_variables("text")
    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        token = Token(**given.validated_data)
        text = token.mint()
        with transaction.atomic():
            token.save(force_insert=True)
            token_admin().log_addition(request._request, token, [{"added": {}}])
        return self._issued(token, text, 201)

    @extend_schema(responses=TokenSerializer)
    def partial_update(self, request: Request, public_id: str) -> Response:
        token = self.get_object()
        given = self.get_serializer(token, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changes = {
            name: value
            for name, value in given.validated_data.items()
            if value != getattr(token, name)
        }
        if changes:
            self._change(request, token, changes)
        return Response(self.get_serializer(token).data)

    @extend_schema(request=None, responses=TokenSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, public_id: str) -> Response:
        """Refuse the token for good. One that is revoked stays as it is."""
        token = self.get_object()
        with transaction.atomic():
            token_admin().revoke(request._request, token)
        return Response(self.get_serializer(token).data)

    @extend_schema(request=RotationSerializer, responses=IssuedSerializer)
    @action(detail=True, methods=["post"])
    @sensitive_variables("text")
    def rotate(self, request: Request, public_id: str) -> Response:
        """Make a new secret; the old one works on for ``overlap_hours``."""
        token = self.get_object()
        given = RotationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        overlap = given.validated_data["overlap_hours"] * _HOUR
        try:
            with transaction.atomic():
                text = token_admin().rotate(request._request, token, overlap)
        except Refused as error:
            raise ValidationError(error.messages) from None
        return self._issued(token, text, 200)

    def _change(self, request: Request, token: Token, changes: dict[str, Any]) -> None:
        """Save what was changed alone, so that nothing undoes a revocation or a
        rotation that came between.
        """
        for name, value in changes.items():
            setattr(token, name, value)
        with transaction.atomic():
            token.save(update_fields=list(changes))
            labels = {f.name: capfirst(str(f.verbose_name)) for f in token._meta.fields}
            entry = [{"changed": {"fields": [labels[name] for name in changes]}}]
            token_admin().log_change(request._request, token, entry)

    @sensitive_variables("text")
    def _issued(self, token: Token, text: str, status: int) -> Response:
        shown = self.get_serializer(token).data
        return Response({**shown, "token": text}, status=status)
