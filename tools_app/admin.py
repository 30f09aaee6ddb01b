"""Tokens in the admin: issued and rotated, with the text shown once; revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_value
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from tools_app import origin_admin as origin_admin  # which registers itself
from tools_app.catalogue.admin import CatalogueAdmin as CatalogueAdmin
from tools_app.dashboard.admin import DashboardAdmin as DashboardAdmin
from tools_app.forms import RotationForm, TokenForm
from tools_app.inspector.admin import InspectorAdmin as InspectorAdmin
from tools_app.ledger.admin import CallAdmin as CallAdmin
from tools_app.models import State, Token, TokenQuerySet

# A token acts as one user for good, and one that is revoked is a record.
_FIXED = ("owner",)
_BOUNDS = ("allowed_tools", "rate", "max_calls", "networks")
FIXED_ONCE_REVOKED = ("owner", "scopes", "expires_at", *_BOUNDS)
_RECORD = (
    "identifier",
    "state",
    "created_at",
    "last_used_at",
    "old_secret",
    "previous_last_used_at",
    "revoked_at",
)


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if isinstance(queryset, TokenQuerySet) and chosen in State.values:
            return queryset.in_state(State(chosen))
        return queryset


class OldSecretFilter(admin.SimpleListFilter):
    title = _("old secret")
    parameter_name = "old_secret"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [("works", _("still works"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if isinstance(queryset, TokenQuerySet) and self.value() == "works":
            return queryset.in_overlap()
        return queryset


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = TokenForm
    change_form_template = "tools_app/token_change_form.html"
    list_display = [
        "name",
        "identifier",
        "owner",
        "granted",
        "state",
        "expires_at",
        "last_used_at",
        "old_secret",
    ]
    list_filter = [
        StateFilter,
        OldSecretFilter,
        "created_at",
        "expires_at",
        "last_used_at",
    ]
    actions = ["end_old_secrets", "revoke_selected"]
    fieldsets = [
        (None, {"fields": ["name", "owner", "scopes", "expires_at", "notes"]}),
        (_("Limits"), {"fields": _BOUNDS}),
    ]

    @admin.display(description=_("token"), ordering="public_id")
    def identifier(self, token: Token) -> str:
        return token.identifier

    @admin.display(description=_("scopes"), empty_value="-")
    def granted(self, token: Token) -> str:
        return ", ".join(token.scopes)

    @admin.display(description=_("state"))
    def state(self, token: Token) -> str:
        return str(token.state.label)

    @admin.display(description=_("old secret"), empty_value="-")
    def old_secret(self, token: Token) -> str | None:
        until = token.old_secret_until
        return gettext("until %s") % _shown(until) if until else None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The digests are nobody's to see, and so nobody's to look for."""
        hidden = lookup.startswith(("digest", "previous_digest"))
        return not hidden and super().lookup_allowed(lookup, value, request)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        owner = f"owner__{get_user_model().USERNAME_FIELD}"
        return ["name", "public_id", "notes", owner]

    def get_fieldsets(self, request: HttpRequest, obj: Token | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        return [*fieldsets, (_("Record"), {"fields": _RECORD})]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Token | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        revoked = obj.state is State.REVOKED
        return (*_RECORD, *(FIXED_ONCE_REVOKED if revoked else _FIXED))

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        site, users = self.admin_site, get_user_model()
        if not _may_issue_for_others(request) or not site.is_registered(users):
            return []
        searchable = site.get_model_admin(users).get_search_fields(request)
        return ["owner"] if searchable else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "owner": request.user.pk,
            **super().get_changeform_initial_data(request),
        }

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        # Who is shown a token can act as its owner: for anybody but a superuser
        # that must be nobody else, or adding tokens would be all permissions.
        if db_field.name == "owner" and not _may_issue_for_others(request):
            kwargs["queryset"] = get_user_model()._default_manager.filter(
                pk__in=[request.user.pk]
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Token, form: Any, change: bool
    ) -> None:
        """Save what was changed alone, so that nothing undoes a revocation or a
        rotation that came between.
        """
        obj.save(update_fields=form.changed_data if change else None)

    @sensitive_variables("text")
    def response_add(
        self, request: HttpRequest, obj: Token, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Answer with the token's text: the only time that it is ever shown.

        Neither a redirect nor a message would do: both would store it. The page
        is made inside the transaction of the form, so that no token remains
        whose text could not be shown.
        """
        text = obj.mint()
        obj.save(update_fields=["digest"])
        return self._show(request, obj, text)

    @sensitive_variables("text")
    def _show(self, request: HttpRequest, token: Token, text: str) -> HttpResponse:
        context = self._page(request, token, gettext("Copy the token now"))
        page = "tools_app/token_issued.html"
        return render(request, page, {**context, "text": text})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Token | None = None,
    ) -> HttpResponse:
        if obj is not None:
            active = obj.state is State.ACTIVE
            context["may_rotate"] = active and self.has_rotate_permission(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: Token | None = None
    ) -> bool:
        """Allow no deletion of many at once: a revoked token is a record."""
        return obj is not None and super().has_delete_permission(request, obj)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tools_app.revoke_token")

    @admin.action(description=_("Revoke selected tokens"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        with transaction.atomic():
            revoked = sum(self.revoke(request, token) for token in queryset)
        text = ngettext("%d token was revoked.", "%d tokens were revoked.", revoked)
        self.message_user(request, text % revoked, messages.SUCCESS)

    def has_rotate_permission(
        self, request: HttpRequest, token: Token | None = None
    ) -> bool:
        """Who rotates a token is shown its text: the rule is that of issuing."""
        return request.user.has_perm("tools_app.rotate_token") and (
            token is None
            or token.owner_id == request.user.pk
            or _may_issue_for_others(request)
        )

    @admin.action(
        description=_("End the old secret of selected tokens"), permissions=["rotate"]
    )
    def end_old_secrets(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        ended = 0
        with transaction.atomic():
            for token in queryset:
                if token.old_secret_until is not None:
                    token.end_old_secret()
                    self.log_change(request, token, gettext("Ended the old secret."))
                    ended += 1
        text = ngettext("%d old secret was ended.", "%d old secrets were ended.", ended)
        self.message_user(request, text % ended, messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        views = {"revoke": self.revoke_view, "rotate": self.rotate_view}
        pages = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"tools_app_token_{name}",
            )
            for name, view in views.items()
        ]
        return [*pages, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether to revoke one token, and on POST do."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        token = self._token(request, pk)
        if request.method == "POST":
            with transaction.atomic():
                self.revoke(request, token)
            text = gettext("Token %s is revoked.") % token
            self.message_user(request, text, messages.SUCCESS)
            change = reverse(
                "admin:tools_app_token_change",
                args=[token.pk],
                current_app=self.admin_site.name,
            )
            return HttpResponseRedirect(change)
        context = self._page(request, token, gettext("Revoke this token?"))
        return render(request, "tools_app/token_revoke.html", context)

    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for how long the old secret works on; on POST show the new one, once."""
        if not self.has_rotate_permission(request):
            raise PermissionDenied
        token = self._token(request, pk)
        if not self.has_rotate_permission(request, token):
            raise PermissionDenied
        form = RotationForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                return self._rotate(request, token, form.overlap())
            except ValidationError as error:
                form.add_error(None, error)
        context = self._page(request, token, gettext("Rotate this token?"))
        page = "tools_app/token_rotate.html"
        return render(request, page, {**context, "form": form})

    @sensitive_variables("text")
    def _rotate(
        self, request: HttpRequest, token: Token, overlap: timedelta
    ) -> HttpResponse:
        """Rotate, and show the text before anything is kept, as ``response_add``."""
        with transaction.atomic():
            text = self.rotate(request, token, overlap)
            return self._show(request, token, text)

    @sensitive_variables("text")
    def rotate(self, request: HttpRequest, token: Token, overlap: timedelta) -> str:
        """Rotate and enter it in the history; return the token's new text.

        Raises:
            ValidationError: the token is not active, or ``overlap`` is too long.
        """
        text = token.rotate(overlap)
        until = token.old_secret_until
        self.log_change(
            request,
            token,
            gettext("Rotated; until %s the old secret works too.") % _shown(until)
            if until
            else gettext("Rotated; the old secret has ended."),
        )
        return text

    def revoke(self, request: HttpRequest, token: Token) -> bool:
        """Revoke and enter it in the history; False where it had been revoked."""
        if token.state is State.REVOKED:
            return False
        token.revoke()
        self.log_change(request, token, gettext("Revoked."))
        return True

    def _token(self, request: HttpRequest, pk: int) -> Token:
        token: Token | None = self.get_object(request, str(pk))
        if token is None:
            raise Http404
        return token

    def _page(self, request: HttpRequest, token: Token, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "token": token,
        }


def _may_issue_for_others(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _shown(moment: datetime) -> str:
    return str(display_for_value(moment, "-"))
