"""Values against a JSON Schema that was written by hand.

Schemas that come from Python signatures are in ``signature``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsonschema_rs

from mcp_transport.protocol.schema import (
    MAX_DEPTH,
    Schema,
    check_output_schema,
    compile_parts,
    compile_schema,
    is_recursive,
    subschemas,
)
from mcp_transport.protocol.wording import (
    MAX_FAULTS,
    MAX_QUOTE,
    ArgumentError,
    argument_error,
    place,
    quote,
    shorten,
    unknown,
)

_MAX_ALTERNATIVES = 3

_Kind = jsonschema_rs.ValidationErrorKind


class JsonSchema:
    """A schema compiled once, for one value after another.

    Raises ValueError as ``check_output_schema`` does.
    """

    __slots__ = ("_parts", "_validator", "schema")

    def __init__(self, schema: Schema) -> None:
        check_output_schema(schema)
        self.schema = schema
        self._validator = compile_schema(schema)
        self._parts = compile_parts(schema) if _explodes(schema) else None

    def validate(self, value: Any) -> None:
        """Raise ArgumentError, naming the first fault, unless ``value`` fits."""
        # The validator recurses on the C stack, so depth is bounded first.
        if _too_deep(value):
            raise ArgumentError(f"the value is nested deeper than {MAX_DEPTH} levels")
        try:
            valid = self._validator.is_valid(value)
        except ValueError as error:
            reason = shorten(str(error), 100)
            raise ArgumentError(f"the value is not JSON: {reason}") from None
        if not valid:
            raise self._fault(value)

    def _fault(self, value: Any) -> ArgumentError:
        if self._parts is not None:
            return argument_error([_coarse_words(self.schema, self._parts, value)], 1)
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            return argument_error([_words(self.schema, value, error)], 1)
        raise AssertionError("the validator contradicts itself")


def _coarse_words(schema: Schema, parts: jsonschema_rs.ValidatorMap, value: Any) -> str:
    """Name the property at fault and no more."""
    if isinstance(value, dict):
        for name, item in value.items():
            part = parts.get(_pointer(name))
            if part is not None and not part.is_valid(item):
                return f"{place([name])}: does not fit its schema"
        for name in schema.get("required", ()):
            if name not in value:
                return f"{place([name])}: missing"
    return "the value does not fit the schema"


def _explodes(schema: Schema) -> bool:
    """Tell whether explaining a fault takes time exponential in its depth.

    To judge a value, the validator compares each part of it with a recursive
    schema once; to explain why no alternative fits, it enters each of them anew
    at each level.
    """
    return is_recursive(schema) and any(
        "anyOf" in node or "oneOf" in node for _, node in subschemas(schema)
    )


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for node in level
            if isinstance(node, dict | list | tuple)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def _words(schema: Schema, value: Any, error: jsonschema_rs.ValidationError) -> str:
    path = error.instance_path
    match error.kind:
        case _Kind.Required(property=name):
            return f"{place([*path, name])}: missing"
        case (
            _Kind.AdditionalProperties(unexpected=[name, *_])
            | _Kind.UnevaluatedProperties(unexpected=[name, *_])
        ):
            known = _siblings(schema, error.schema_path)
            return f"{place([*path, name])}: {unknown(name, known)}"
    for step in path:
        value = value[step]
    reason = f"{_reason(error)}, got {quote(value)}"
    return f"{place(path)}: {reason}" if path else reason


def _reason(error: jsonschema_rs.ValidationError) -> str:
    match error.kind:
        case _Kind.Type(types=types):
            return f"should be {' or '.join(types)}"
        case _Kind.Enum(options=options):
            shown = ", ".join(quote(option) for option in options[:MAX_FAULTS])
            return f"should be one of {shown}{', …' if options[MAX_FAULTS:] else ''}"
        case _Kind.AnyOf(context=context) | _Kind.OneOfNotValid(context=context):
            return _alternatives(error, [errors[0] for errors in context if errors])
        case _Kind.OneOfMultipleValid():
            return "fits more than one of the alternatives, should fit exactly one"
    return shorten(error.message, MAX_QUOTE * 2)


def _alternatives(
    error: jsonschema_rs.ValidationError, faults: list[jsonschema_rs.ValidationError]
) -> str:
    reasons = []
    for fault in faults[:_MAX_ALTERNATIVES]:
        inside = fault.instance_path[len(error.instance_path) :]
        reasons.append(f"{place(inside)} {_reason(fault)}".lstrip())
    return "; or ".join(dict.fromkeys(reasons)) or "fits none of the alternatives"


def _siblings(schema: Schema, schema_path: Sequence[str | int]) -> list[str]:
    """Return the properties that stand beside the keyword at ``schema_path``."""
    node: Any = schema
    for step in schema_path[:-1]:
        node = node[step]
    return list(node.get("properties", ()))


def _pointer(name: str) -> str:
    return "#/properties/" + name.replace("~", "~0").replace("/", "~1")
