"""The form in which an administrator steers one entry.

It is made for its entry: with a field for each argument, with the code's own words
beside each, and with a box that resets what differs from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import pretty_name
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tools_app.catalogue.checking import (
    ANNOTATIONS,
    check_row,
    why_not_permission,
)
from tools_app.catalogue.configured import entry_of
from tools_app.catalogue.entry import MAX_TEXT_CHARS, CatalogueEntry
from tools_app.catalogue.overriding import arguments
from tools_app.catalogue.wording import AUDIENCES, validate_visible
from tools_app.forms import WordsField
from tools_app.kinds.registry import entry_kinds

ARGUMENT, ANNOTATION, RESET = "argument-", "annotation-", "reset-"
# The prefix of the form of a kind, as Django joins it to the names of its fields.
SPEC = "spec"
_TEXTS = ("title", "description", "permission", "scope", "rate")
_BESIDE = (*_TEXTS, "tags", "timeout_s")
_YES, _NO = "true", "false"


class TagsField(WordsField):
    """Tags; None where there are none, which leaves those of the code."""

    def clean(self, value: Any) -> Any:
        return super().clean(value) or None


class EntryForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of an entry of ``kind`` and ``source``, before ``administrator``; see
    ``form_for``.
    """

    class Meta:
        model = CatalogueEntry
        fields = ["key", "enabled", *_BESIDE, "visibility"]
        field_classes = {"tags": TagsField}

    kind: str
    source: str
    administrator: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        row = self.instance
        row.kind, row.source = self.kind, self.source
        self.spec_form = self._spec_form()
        for name in self._named(ARGUMENT):
            said = row.argument_descriptions.get(name, "")
            self.initial.setdefault(ARGUMENT + name, said)
        for name in self._named(ANNOTATION):
            self.initial.setdefault(
                ANNOTATION + name, _chosen((row.annotations or {}).get(name))
            )
        for name, value in row.spec.items():
            self.initial.setdefault(f"{SPEC}-{name}", value)
        if row.is_from_code:
            for name, said in _said_by_code(row).items():
                if name in self.fields:
                    field = self.fields[name]
                    field.help_text = _beside(field.help_text, said)

    def _spec_form(self) -> forms.Form | None:
        kind = entry_kinds().get(self.source)
        if kind is None:
            return None
        data, files = (self.data, self.files) if self.is_bound else (None, None)
        return kind.form(data, files, prefix=SPEC, initial=self.instance.spec)

    def _named(self, prefix: str) -> Iterator[str]:
        """Yield what the fields of a prefix are about."""
        for name in self.fields:
            if name.startswith(prefix):
                yield name.removeprefix(prefix)

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name in self._named(RESET):
            if self.cleaned_data.get(RESET + name):
                self.cleaned_data[name] = "" if name in _TEXTS else None
                # What is wrong with a text that is given up does not matter.
                self.errors.pop(name, None)
        row = self.instance
        self._check_permission()
        told = self._told(ARGUMENT)
        # Words for arguments that are gone stay: they may be back.
        kept = row.argument_descriptions.keys() - told.keys()
        row.argument_descriptions = {
            **{name: row.argument_descriptions[name] for name in sorted(kept)},
            **{name: text for name, text in told.items() if text},
        }
        said = {n: v for n, v in self._told(ANNOTATION).items() if v not in (None, [])}
        row.annotations = said or None
        if self.spec_form is not None:
            self._clean_spec(self.spec_form)
        return self.cleaned_data

    def _check_permission(self) -> None:
        if "permission" not in self.cleaned_data:
            return
        chosen = self.cleaned_data["permission"]
        reason = why_not_permission(self.administrator, self.instance, chosen)
        if reason is not None:
            self.add_error("permission", reason)

    def _told(self, prefix: str) -> dict[str, Any]:
        names = self._named(prefix)
        return {name: self.cleaned_data.get(prefix + name) for name in names}

    def _clean_spec(self, form: forms.Form) -> None:
        if form.is_valid():
            self.instance.spec = form.cleaned_data
        for name, errors in form.errors.as_data().items():
            field = f"{SPEC}-{name}" if name in form.fields else None
            # Its fields were cleaned with ours; what they add up to was not.
            if field is None or field not in self.errors:
                self.add_error(field, ValidationError(errors))

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            check_row(self.instance)
        except ValidationError as error:
            for name, errors in _by_field(error).items():
                self.add_error(name if name in self.fields else None, errors)


def form_for(row: CatalogueEntry) -> type[EntryForm]:
    """Return the form of a row, which may be a new one of some kind and source."""
    made: dict[str, Any] = {"kind": row.kind, "source": row.source}
    for name in _arguments(row):
        made[ARGUMENT + name] = forms.CharField(
            label=gettext("Argument %s") % name,
            required=False,
            max_length=MAX_TEXT_CHARS,
            validators=[validate_visible],
            widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        )
    for name in ANNOTATIONS[row.kind]:
        made[ANNOTATION + name] = _annotation(name)
    if row.is_from_code:
        for name in _differing(row):
            label = _("Reset to the code")
            made[RESET + name] = forms.BooleanField(label=label, required=False)
    elif row.source in entry_kinds():
        for name, field in entry_kinds()[row.source].form.base_fields.items():
            made[f"{SPEC}-{name}"] = own = copy(field)
            own.label = capfirst(field.label or pretty_name(name))
    return type("EntryForm", (EntryForm,), made)


def fields_of(form: type[EntryForm], prefix: str) -> list[str]:
    """Return the names of a form's fields that begin so."""
    return [name for name in form.base_fields if name.startswith(prefix)]


def _arguments(row: CatalogueEntry) -> list[str]:
    if row.is_from_code:
        return list(row.code.get("arguments", {}))
    if row._state.adding:
        return []
    try:
        return list(arguments(entry_of(row)))
    except ValueError:
        return []  # the row says why, once it is looked at


def _annotation(name: str) -> forms.Field:
    if name == "priority":
        return forms.FloatField(label=name, required=False, min_value=0, max_value=1)
    if name == "audience":
        return forms.MultipleChoiceField(
            label=name,
            required=False,
            choices=[(one, one) for one in AUDIENCES],
            widget=forms.CheckboxSelectMultiple,
        )
    return forms.TypedChoiceField(
        label=name,
        required=False,
        choices=[("", "---------"), (_YES, _("yes")), (_NO, _("no"))],
        coerce=lambda value: value == _YES,
        empty_value=None,
    )


def _chosen(said: Any) -> Any:
    """Return what an annotation is as the initial value of its field."""
    return (_YES if said else _NO) if isinstance(said, bool) else said


def _differing(row: CatalogueEntry) -> list[str]:
    """Return the names of the fields that say otherwise than the code."""
    names = [name for name in row.overrides if name in _BESIDE]
    names += [
        ARGUMENT + name
        for name in row.code.get("arguments", {})
        if name in row.argument_descriptions
    ]
    return names + [ANNOTATION + name for name in row.annotations or {}]


def _said_by_code(row: CatalogueEntry) -> dict[str, Any]:
    """Return what the code says, by the names of the fields."""
    code: Mapping[str, Any] = row.code
    said = {name: code.get(name) for name in _BESIDE}
    said["tags"] = ", ".join(code.get("tags", ()))
    for name, text in code.get("arguments", {}).items():
        said[ARGUMENT + name] = text
    for name in ANNOTATIONS[row.kind]:
        told = code.get("annotations", {}).get(name)
        if isinstance(told, bool):
            told = gettext("yes") if told else gettext("no")
        said[ANNOTATION + name] = told
    return said


def _beside(help_text: Any, said: Any) -> SafeString:
    """Return the help of a field, with the code's own words."""
    return format_html(
        '{} <span class="mcp-code">{} <q>{}</q></span>',
        help_text,
        gettext("In the code:"),
        "-" if said in (None, "", []) else said,
    )


def _by_field(error: ValidationError) -> Mapping[str, Any]:
    return error.error_dict if hasattr(error, "error_dict") else {"": error}
