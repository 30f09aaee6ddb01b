"""The fields that the forms of several kinds share.

Their values are JSON, and their complaints say what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from pydantic_core import to_json

from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.messages import loads
from mcp_transport.protocol.naming import check_text
from mcp_transport.protocol.schema import check_input_schema

MAX_SCHEMA_BYTES = 65_536
_TYPE = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(rf'{_TYPE}/{_TYPE}(; ?[A-Za-z0-9-]+=("[^"\\]*"|[^\s";]+))*')


def refuse(check: Callable[[Any], object], value: Any) -> None:
    """Raise ValidationError with the words of the ValueError that ``check`` raises."""
    try:
        check(value)
    except ValueError as error:
        # Not "invalid": a field would put its own words in place.
        raise ValidationError(str(error), code="not_acceptable") from None


class VisibleTextField(forms.CharField):
    """Text of which its reader sees all, with lines that end as on Unix."""

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value) or ""
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def validate(self, value: Any) -> None:
        super().validate(value)
        refuse(check_text, value)


class LinesField(VisibleTextField):
    """A list of texts, written one per line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 40})

    def __init__(self, *, max_lines: int, **options: Any) -> None:
        super().__init__(**options)
        self.max_lines = max_lines

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            value = "\n".join(map(str, value))
        lines = (line.strip() for line in super().to_python(value).split("\n"))
        return list(dict.fromkeys(filter(None, lines)))

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)
        for line in value:
            refuse(check_text, line)

    def run_validators(self, value: Any) -> None:
        if len(value) > self.max_lines:
            raise ValidationError(
                _("There may be %(most)d lines at most."),
                code="too_many",
                params={"most": self.max_lines},
            )
        for line in value:
            super().run_validators(line)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class MediaTypeField(forms.CharField):
    """A media type such as ``text/markdown``. Spec: RFC 6838 section 4.2."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not _MEDIA_TYPE.fullmatch(value):
            raise ValidationError(
                _("%(value)r is no media type: write one such as text/markdown."),
                code="not_a_media_type",
                params={"value": value},
            )


class ObjectField(forms.JSONField):
    """A JSON object, read as strictly as a message: no key twice, no NaN. Nor may
    there be U+0000 in it, which PostgreSQL does not keep.
    """

    widget = forms.Textarea(attrs={"rows": 8, "cols": 60, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = _read(value) if value.strip() else None
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ValidationError(
                _("Write a JSON object, in braces."), code="not_an_object"
            )
        return value

    def prepare_value(self, value: Any) -> Any:
        if value == {}:
            return ""
        return _written(value) if isinstance(value, dict) else value

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial if self.disabled else data

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")
        if _has_nul(value):
            raise ValidationError(
                _("The character U+0000 cannot be kept."), code="null_character"
            )

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except ValidationError:
            return True


class JsonSchemaField(ObjectField):
    """The JSON Schema of a tool's arguments, checked as that of a tool of code.

    Blank is ``{}``. Refused are unknown dialects, references that leave the
    schema, patterns that take more than linear time, what is too large or too
    deep, a wrong ``x-mcp-header``, and text that cannot be seen.
    Spec: 2026-07-28 server/tools #tool, basic/index #json-schema-usage.
    """

    def validate(self, value: Any) -> None:
        super().validate(value)
        if not value:
            return
        size = len(to_json(value))
        if size > MAX_SCHEMA_BYTES:
            raise ValidationError(
                _("The schema has %(size)d bytes; %(most)d are the most."),
                code="too_large",
                params={"size": size, "most": MAX_SCHEMA_BYTES},
            )
        refuse(check_input_schema, value)


def _read(text: str) -> Any:
    try:
        return loads(text.encode("utf-8", "surrogatepass"))
    except ProtocolError as error:
        raise ValidationError(
            _("This is not JSON: %(reason)s."),
            code="not_json",
            params={"reason": str(error)},
        ) from None


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_has_nul, (*value, *value.values())))
    return isinstance(value, list) and any(map(_has_nul, value))


def _written(value: Any) -> str:
    return to_json(value, indent=2).decode()
