"""The field in which an administrator says whom to run as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tools_app.inspector.target import Target, find, why_not
from tools_app.models import Token


class TargetSelect(AutocompleteSelect):
    """The admin's own widget, which asks the inspector whom it offers."""

    url_name = "%s:tools_app_inspector_offer"

    def __init__(self, site: AdminSite) -> None:
        # The widget wants a field of a model, and names it to whom it asks.
        super().__init__(Token._meta.get_field("owner"), site)

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> list[Any]:
        return forms.Select.optgroups(self, name, list(value), attr)


class RunAsForm(forms.Form):
    """Whom to run as, of those whom ``administrator`` may."""

    run_as = forms.CharField(
        label=_("Run as"),
        error_messages={"required": _("Choose a token or a user.")},
        help_text=_(
            "A token or a user. You see what its clients see, and what you run is "
            "done as its user. Only a superuser may run as a superuser, or as "
            "somebody who has a permission that you lack."
        ),
    )

    def __init__(
        self, site: AdminSite, administrator: Any, data: Mapping[str, Any] | None
    ) -> None:
        super().__init__(data)
        self._administrator = administrator
        self._select = TargetSelect(site)
        self.fields["run_as"].widget = self._select

    def clean_run_as(self) -> Target:
        try:
            target = find(self.cleaned_data["run_as"])
        except ValueError as error:
            raise ValidationError(str(error), code="name") from None
        if target is None:
            raise ValidationError(_("There is no such token or user."), code="unknown")
        self._select.choices = [(target.name, target.label)]
        reason = why_not(self._administrator, target)
        if reason is not None:
            raise ValidationError(reason, code="refused")
        return target
