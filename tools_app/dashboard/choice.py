"""What the page is asked to show: a period, and perhaps one tool or one token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from tools_app.call import MAX_NAME_CHARS
from tools_app.ledger.periods import PERIODS
from tools_app.ledger.statistics import Selection

DEFAULT = "day"
LABELS = {
    "hour": _("1 hour"),
    "day": _("24 hours"),
    "week": _("7 days"),
    "month": _("30 days"),
}
MAX_KEY = 2**63 - 1


class _Query(forms.Form):
    """The query of the page's URL; what is wrong in it is left out."""

    period = forms.ChoiceField(choices=LABELS.items())
    tool = forms.CharField(max_length=MAX_NAME_CHARS, strip=False)
    token = forms.IntegerField(min_value=1, max_value=MAX_KEY)


@dataclass(frozen=True, slots=True)
class Choice:
    """``period`` is a word of PERIODS, ``tool`` the name of a tool, resource or
    prompt, ``token`` the primary key of one; None for all.
    """

    period: str = DEFAULT
    tool: str | None = None
    token: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> Self:
        form = _Query(query)
        form.is_valid()
        return cls(**form.cleaned_data)

    @property
    def selection(self) -> Selection:
        return Selection.of(self.period, name=self.tool, token=self.token)

    @property
    def query(self) -> str:
        """Return the query of the URL that asks for this, with its question mark."""
        asked = {"period": self.period, "tool": self.tool, "token": self.token}
        return "?" + urlencode({key: told for key, told in asked.items() if told})

    def but(self, **other: Any) -> str:
        """Return the query that asks for the same but for this."""
        return replace(self, **other).query

    @property
    def periods(self) -> list[tuple[str, Any, bool]]:
        """Return the query of each period, its label, and whether it is this."""
        return [
            (self.but(period=word), LABELS[word], word == self.period)
            for word in PERIODS
        ]
