from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_transport.protocol.schema import (
    HeaderParam,
    JsonSchema,
    check_input_schema,
    check_output_schema,
    compile_schema,
    header_params,
    wrap_output_schema,
)
from mcp_transport.protocol.wording import ArgumentError

DRAFT = "https://json-schema.org/draft/2020-12/schema"
# What the conformance suite lists and wants back unchanged.
FULL: dict[str, Any] = {
    "$schema": DRAFT,
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {
        "properties": {"contactMethod": {"const": "phone"}},
        "required": ["contactMethod"],
    },
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def nested(depth: int, leaf: Any = 1) -> Any:
    for _ in range(depth):
        leaf = {"a": leaf}
    return leaf


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": False},
        {**FULL},
        {"$schema": DRAFT + "#", "type": "object"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "type": "object"},
        {"$id": "https://example.com/order", **of(a={"$ref": "#"})},
        of(a={"$ref": "#spot"}, b={"$anchor": "spot"}),
        {**of(a={"$dynamicRef": "#node"}), "$dynamicAnchor": "node"},
        of(**{"$ref": {"type": "string"}, "default": {"const": {"$ref": "x:y"}}}),
        of(a={"x-ui": {"title": 3, "order": [1, "b", None]}}),
    ],
)
def test_a_good_input_schema_passes_unchanged(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    check_input_schema(schema)
    check_output_schema(schema)
    assert json.dumps(schema) == before


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (None, 'an input schema is an object with "type": "object"'),
        ({}, 'an input schema is an object with "type": "object"'),
        ({"type": ["object"]}, 'an input schema is an object with "type": "object"'),
        ({"type": "object", "$schema": "urn:x"}, 'unknown dialect "urn:x": use https'),
        ({"type": "object", "$schema": 3}, "unknown dialect 3"),
        (of(a={"type": "strin"}), "not a valid schema at properties.a.type"),
        ({"type": "object", "required": "a"}, "not a valid schema at required"),
        (of(a={"$ref": "#/$defs/gone"}), "does not exist"),
        (of(a={"$ref": "https://h/s"}), '"https://h/s" at properties.a leaves'),
        (of(a={"$ref": "file:///etc/passwd"}), "put its target under"),
        (of(a={"$ref": "other.json#/x"}), "leaves the schema"),
        (of(a={"$ref": ""}), "leaves the schema"),
        (of(a={"$ref": 3}), "leaves the schema"),
        (of(a={"allOf": [{"$dynamicRef": "//h/s#n"}]}), "properties.a.allOf[0]"),
        (of(a={"$recursiveRef": "#"}), 'write "$ref": "#"'),
        (of(a={"$id": "https://h/s"}), "only the root may have them"),
        (of(a={"$schema": DRAFT}), "only the root may have them"),
        (of(a={"x-kept": [{"$ref": "https://h/s"}]}), "leaves the schema"),
        (of(a={"pattern": "(?=a)"}), "look-around, back-references"),
        (of(a={"pattern": r"(a)\1"}), "look-around, back-references"),
        (of(a={"pattern": "((a{1,99}){1,99}){1,99}"}), "huge repetitions"),
        (of(a={"description": "ab\u202e"}), "U[+]202E"),
        ({"type": "object", "title": "\u200b"}, "U[+]200B"),
        (of(**{"a\u200b": {}}), "U[+]200B"),
        (of(a={1: 2}), "the keys of a schema are strings"),
    ],
)
def test_a_bad_input_schema_is_refused_with_the_fix(schema: Any, fault: str) -> None:
    pattern = fault if "[+]" in fault else "".join(f"[{c}]" if c in "$[]().?" else c for c in fault)
    with pytest.raises(ValueError, match=pattern.replace("[[]", r"\[").replace("[]]", r"\]")):
        check_input_schema(schema)
