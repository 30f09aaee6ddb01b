"""A form field whose value is a list of objects, each edited in a row.

The row is a form of its own. Without a script the page offers a few blank rows,
and more once it was saved; a small script adds them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import Script
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

EXTRA_ROWS = 2
Row = dict[str, Any]


class RowsWidget(forms.Widget):
    template_name = "tools_app/rows.html"

    class Media:
        css = {"all": ["tools_app/entries.css"]}
        js = [Script("tools_app/rows.js", type="module")]

    def __init__(self, row: type[forms.Form], max_rows: int) -> None:
        super().__init__()
        self.row = row
        self.max_rows = max_rows

    def get_context(
        self, name: str, value: Any, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        rows = [dict(row) for row in value or [] if isinstance(row, Mapping)]
        blank: list[Row] = [{} for _ in range(EXTRA_ROWS)]
        shown = [*rows, *blank][: max(self.max_rows, len(rows))]
        context["widget"]["rows"] = [
            self.row(initial=row, prefix=f"{name}-{n}", use_required_attribute=False)
            for n, row in enumerate(shown)
        ]
        context["widget"]["max_rows"] = self.max_rows
        return context

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> Any:
        """Return the rows as they were sent; a list, as JSON has it, as it is."""
        if name in data:
            return data[name]
        sent = str(data.get(f"{name}-rows", ""))
        # One more than may be, so that it is noticed.
        count = min(int(sent), self.max_rows + 1) if _is_count(sent) else 0
        return [
            {
                field: of.widget.value_from_datadict(data, files, f"{name}-{n}-{field}")
                for field, of in self.row.base_fields.items()
            }
            for n in range(count)
        ]

    def value_omitted_from_data(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> bool:
        return name not in data and f"{name}-rows" not in data

    def id_for_label(self, id_: str) -> str:
        """A list has no one element that a label could be of."""
        return ""


class RowsField(forms.Field):
    """A list of objects, each the ``cleaned_data`` of the form ``row``.

    Rows that were left as they came are left out.
    """

    def __init__(self, row: type[forms.Form], *, max_rows: int, **options: Any) -> None:
        super().__init__(widget=RowsWidget(row, max_rows), **options)
        self.row = row
        self.max_rows = max_rows

    def to_python(self, value: Any) -> list[Row]:
        if value in self.empty_values:
            return []
        if not isinstance(value, list) or not all(isinstance(r, dict) for r in value):
            raise ValidationError(_("Give a list of objects."), code="not_a_list")
        if len(value) > self.max_rows:
            raise ValidationError(
                _("There may be %(most)d rows at most."),
                code="too_many",
                params={"most": self.max_rows},
            )
        cleaned: list[Row] = []
        complaints: list[ValidationError] = []
        for number, sent in enumerate(value, 1):
            form = self.row(
                data=sent, empty_permitted=True, use_required_attribute=False
            )
            if not form.has_changed():
                continue
            complaints += _complaints(number, sent, form)
            cleaned.append(form.cleaned_data)
        if complaints:
            raise ValidationError(complaints)
        return cleaned

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != list(initial or [])
        except ValidationError:
            return True


def _complaints(number: int, sent: Row, form: forms.Form) -> list[ValidationError]:
    unknown = sorted(set(sent) - set(form.fields))
    found = [
        (gettext("row %(number)d") % {"number": number}, [_unknown(unknown)])
        for _ in unknown[:1]
    ]
    for name, errors in form.errors.items():
        where = gettext("row %(number)d") % {"number": number}
        if name in form.fields:
            where = f"{where}, {form[name].label}"
        found.append((where, [str(error) for error in errors]))
    return [
        ValidationError(f"{where}: {text}", code="row")
        for where, texts in found
        for text in texts
    ]


def _unknown(names: list[str]) -> str:
    return gettext("unknown: %(names)s") % {"names": ", ".join(names)}


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6
