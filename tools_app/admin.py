"""Tokens in the admin: issued with their text shown once, listed, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from tools_app.forms import TokenForm
from tools_app.models import State, Token, TokenQuerySet

# A token acts as one user for good, and one that is revoked is a record.
_FIXED = ("owner",)
_FIXED_ONCE_REVOKED = ("owner", "scopes", "expires_at")
_RECORD = ("identifier", "state", "created_at", "last_used_at", "revoked_at")


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
    ]
    list_filter = [StateFilter, "created_at", "expires_at", "last_used_at"]
    actions = ["revoke_selected"]
    fieldsets = [
        (None, {"fields": ["name", "owner", "scopes", "expires_at", "notes"]}),
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
        return (*_RECORD, *(_FIXED_ONCE_REVOKED if revoked else _FIXED))

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
        context = self._page(request, obj, gettext("Copy the token now"))
        page = "tools_app/token_issued.html"
        return render(request, page, {**context, "text": text})

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
            revoked = sum(self._revoke(request, token) for token in queryset)
        text = ngettext("%d token was revoked.", "%d tokens were revoked.", revoked)
        self.message_user(request, text % revoked, messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revoke_view)
        revoke = path("<int:pk>/revoke/", view, name="tools_app_token_revoke")
        return [revoke, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether to revoke one token, and on POST do."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        token = self.get_object(request, str(pk))
        if token is None:
            raise Http404
        if request.method == "POST":
            with transaction.atomic():
                self._revoke(request, token)
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

    def _revoke(self, request: HttpRequest, token: Token) -> bool:
        """Revoke and enter it in the history; False where it had been revoked."""
        if token.state is State.REVOKED:
            return False
        token.revoke()
        self.log_change(request, token, gettext("Revoked."))
        return True

    def _page(self, request: HttpRequest, token: Token, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "token": token,
        }


def _may_issue_for_others(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
