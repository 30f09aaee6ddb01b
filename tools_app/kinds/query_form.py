"""What an administrator says of a query."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from tools_app.forms import WordsField
from tools_app.kinds.fields import refuse
from tools_app.kinds.filtering import find_filter
from tools_app.kinds.keyset import find_order
from tools_app.kinds.modelfield import (
    check_model,
    find_model,
    find_owner,
    find_path,
    find_searchable,
)

MAX_PAGE_SIZE = 200
DEFAULT_PAGE_SIZE = 50
MAX_PATHS = 50

Find = Callable[[type[Model], str], object]


def _models() -> list[tuple[str, str]]:
    """Return the models that can be queried, for a list to choose from."""
    labels = sorted(m._meta.label for m in apps.get_models() if _can_be_queried(m))
    return [("", "---------"), *((label, label) for label in labels)]


def _can_be_queried(model: type[Model]) -> bool:
    try:
        check_model(model)
    except ValueError:
        return False
    return True


class QueryForm(forms.Form):
    model = forms.ChoiceField(
        label=_("Model"),
        choices=_models,
        help_text=_(
            "A caller needs the permission to view it, and every model that a path "
            "follows a foreign key into."
        ),
    )
    shown_fields = WordsField(
        label=_("Fields"),
        help_text=_(
            "What is shown, one per line, such as title or author__name. Nothing "
            "else ever is."
        ),
    )
    filters = WordsField(
        label=_("Filters"),
        required=False,
        help_text=_(
            "What rows can be chosen by, one per line: a field, or a field and a "
            "lookup, such as status, created_at__gte or title__icontains."
        ),
    )
    search_fields = WordsField(
        label=_("Search"),
        required=False,
        help_text=_("Fields of text in which words can be looked for, one per line."),
    )
    ordering = WordsField(
        label=_("Order"),
        required=False,
        help_text=_(
            "The orders that a caller can choose, one per line, such as -created_at: "
            "by fields that are shown, or by pk. The first is the usual one."
        ),
    )
    page_size = forms.IntegerField(
        label=_("Rows at a time"),
        initial=DEFAULT_PAGE_SIZE,
        min_value=1,
        max_value=MAX_PAGE_SIZE,
    )
    owner = forms.CharField(
        label=_("Own rows by"),
        max_length=255,
        required=False,
        help_text=_(
            "A foreign key to the user, such as customer__user: each caller sees the "
            "rows that are its own. Blank: all rows."
        ),
    )

    def clean(self) -> None:
        """Look every path up in the model, and say on its field what is wrong."""
        label = self.cleaned_data.get("model")
        if label is None:
            return
        model = find_model(label)
        self._check("shown_fields", model, find_path)
        self._check("filters", model, find_filter)
        self._check("search_fields", model, find_searchable)
        shown = self.cleaned_data.get("shown_fields") or []
        self._check("ordering", model, partial(find_order, shown=shown))
        if self.cleaned_data.get("owner"):
            self._check("owner", model, find_owner)

    def _check(self, name: str, model: type[Model], find: Find) -> None:
        value: Any = self.cleaned_data.get(name) or []
        paths = [value] if isinstance(value, str) else value
        if len(paths) > MAX_PATHS:
            text = _("There may be %(most)d at most.")
            self.add_error(name, ValidationError(text, params={"most": MAX_PATHS}))
            return
        for path in paths:
            try:
                refuse(lambda given: find(model, given), path)
            except ValidationError as error:
                self.add_error(name, error)
