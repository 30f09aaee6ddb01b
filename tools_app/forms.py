"""The form in which an administrator makes or changes a token."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tools_app.models import Token
from tools_app.scopes import SCOPES_HELP, validate_scopes, without_repeats


class ScopesField(forms.Field):
    """A list of scopes, written one per line or between commas or spaces."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40, "spellcheck": "false"})
    default_validators = [validate_scopes]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return without_repeats(re.findall(r"[^\s,]+", value or ""))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = ScopesField(label=_("Scopes"), required=False, help_text=SCOPES_HELP)

    class Meta:
        model = Token
        fields = ["name", "owner", "scopes", "expires_at", "notes"]

    def clean_expires_at(self) -> datetime:
        expires_at: datetime = self.cleaned_data["expires_at"]
        chosen = self.instance._state.adding or "expires_at" in self.changed_data
        if chosen and expires_at <= timezone.now():
            raise ValidationError(_("Choose a time in the future."), code="past")
        return expires_at
