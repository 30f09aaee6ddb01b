"""The forms in which an administrator makes, changes and rotates a token."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tools_app.models import MAX_OVERLAP, OVERLAP, Token
from tools_app.scopes import without_repeats

_HOUR = timedelta(hours=1)


class WordsField(forms.JSONField):
    """A list of words, written one per line or between commas or spaces.

    What words are acceptable, the field of the model says.
    """

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40, "spellcheck": "false"})

    def __init__(self, **options: Any) -> None:
        # What the list was before, the row says: the page need not repeat it.
        super().__init__(**{**options, "show_hidden_initial": False})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial if self.disabled else data

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return value
        if not isinstance(value, str | None):
            raise ValidationError(_("Give a list of words."), code="not_words")
        return without_repeats(re.findall(r"[^\s,]+", value or ""))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Token
        fields = [
            "name",
            "owner",
            "scopes",
            "expires_at",
            "notes",
            "allowed_tools",
            "rate",
            "max_calls",
            "networks",
        ]
        field_classes = {
            "scopes": WordsField,
            "allowed_tools": WordsField,
            "networks": WordsField,
        }

    def clean_expires_at(self) -> datetime:
        expires_at: datetime = self.cleaned_data["expires_at"]
        chosen = self.instance._state.adding or "expires_at" in self.changed_data
        if chosen and expires_at <= timezone.now():
            raise ValidationError(_("Choose a time in the future."), code="past")
        return expires_at


class RotationForm(forms.Form):
    overlap_hours = forms.IntegerField(
        label=_("Overlap in hours"),
        initial=OVERLAP // _HOUR,
        min_value=0,
        max_value=MAX_OVERLAP // _HOUR,
        help_text=_(
            "How long the old secret works on, 0 to 720: long enough to give every "
            "client the new one."
        ),
    )

    def overlap(self) -> timedelta:
        hours: int = self.cleaned_data["overlap_hours"]
        return hours * _HOUR
