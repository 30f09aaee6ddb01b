from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError

from tools_app.kinds.fields import (
    MAX_SCHEMA_BYTES,
    JsonSchemaField,
    LinesField,
    ObjectField,
)

OBJECT = '{"type": "object", "properties": {"a": %s}}'


def complaint(field: forms.Field, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        field.clean(value)
    return " ".join(caught.value.messages)


def test_a_schema_is_read_and_shown_as_it_is() -> None:
    text = OBJECT % '{"type": "integer", "x-mcp-header": "Priority"}'
    schema = JsonSchemaField().clean(text)
    assert schema["properties"]["a"] == {"type": "integer", "x-mcp-header": "Priority"}
    assert JsonSchemaField().clean(JsonSchemaField().prepare_value(schema)) == schema
    assert JsonSchemaField().clean(schema) == schema
    assert not JsonSchemaField().has_changed(schema, text)


def test_blank_is_an_empty_object() -> None:
    blanks: tuple[Any, ...] = ("", None, "  ", "{}", {})
    for blank in blanks:
        assert JsonSchemaField(required=False).clean(blank) == {}
        assert "required" in complaint(JsonSchemaField(), blank)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "JSON object"),
        ("0", "JSON object"),
        ('{"type": "object", "type": "object"}', "not JSON"),
        ('{"type": "object", "maximum": NaN}', "not JSON"),
        ('{"a": ' + "[" * 5_000 + "]" * 5_000 + "}", "not JSON"),
        ('{"type": "array"}', 'with "type": "object"'),
        ('{"type": "object", "$schema": "http://x/y"}', "unknown dialect"),
        (OBJECT % '{"$ref": "https://example.com/x.json"}', "leaves the schema"),
        (OBJECT % '{"$ref": "#/$defs/gone"}', "not a valid schema"),
        (OBJECT % '{"pattern": "(a)\\\\1"}', "back-references"),
        (OBJECT % '{"type": "nonsense"}', "not a valid schema"),
        (OBJECT % '{"type": "object", "x-mcp-header": "A"}', "not one of string"),
        (OBJECT % '{"type": "string", "x-mcp-header": "A b"}', "letters, digits"),
        (OBJECT % '{"description": "a\\u202eb"}', "cannot be seen"),
        ('{"type": "object", "properties": {"a\\u200b": {}}}', "cannot be seen"),
        (OBJECT % f'{{"enum": {list(range(19_000))}}}', "bytes"),
    ],
)
def test_a_schema_that_no_tool_of_code_could_have_is_refused(
    text: str, said: str
) -> None:
    assert said in complaint(JsonSchemaField(), text)


def test_a_schema_may_be_as_large_as_is_said() -> None:
    schema = {"type": "object", "description": ""}
    rest = MAX_SCHEMA_BYTES - len('{"type":"object","description":""}')
    JsonSchemaField().clean({**schema, "description": "x" * rest})
    large = {**schema, "description": "x" * (rest + 1)}
    assert str(MAX_SCHEMA_BYTES) in complaint(JsonSchemaField(), large)


def test_what_is_not_json_is_shown_again_as_it_was_sent() -> None:
    class Form(forms.Form):
        value = ObjectField()

    form = Form({"value": "{<b>"})
    assert not form.is_valid()
    assert "{&lt;b&gt;" in form.as_p()


@pytest.mark.parametrize("value", [{"a": [{"b": "x\0"}]}, {"a\0": 1}])
def test_what_postgresql_does_not_keep_is_refused(value: Any) -> None:
    assert "U+0000" in complaint(ObjectField(), value)
    assert ObjectField().clean({"a": ["\\u0000", 0]}) == {"a": ["\\u0000", 0]}


def test_lines_are_texts_without_blanks_and_repeats() -> None:
    field = LinesField(max_lines=3, max_length=5, required=False)
    assert field.clean(" a \r\n\r\nb c\na") == ["a", "b c"]
    assert field.clean(["a", "b"]) == ["a", "b"]
    assert field.clean("") == []
    assert "at most 5" in complaint(field, "abcdef")
    assert "3 lines" in complaint(field, "a\nb\nc\nd")
    assert "cannot be seen" in complaint(field, "a\u200bb")
