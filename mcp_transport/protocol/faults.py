"""The faults that validators find, in words that a model can act on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jsonschema_rs
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mcp_transport.protocol.schematree import Schema
from mcp_transport.protocol.wording import (
    MAX_FAULTS,
    MAX_QUOTE,
    place,
    quote,
    shorten,
    unknown,
)

_MAX_ALTERNATIVES = 3  # of a union, named at one place
_MAX_PLACES = 3  # named within one argument
_MAX_ERRORS = 1_000  # looked at: each of them is made of text, and there is one
# for each member of a union at each item of a list
_MAX_WORDED = 50  # errors put into words: names are compared with all that is known
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")
_Kind = jsonschema_rs.ValidationErrorKind


def coarse_words(schema: Schema, parts: jsonschema_rs.ValidatorMap, value: Any) -> str:
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


def schema_words(
    schema: Schema, value: Any, error: jsonschema_rs.ValidationError
) -> str:
    """Say what a JSON Schema found wrong with ``value``."""
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


def signature_words(
    error: ValidationError, arguments: Mapping[str, Any], known: Sequence[str]
) -> list[str]:
    """Say what a signature with the arguments ``known`` found wrong."""
    count = error.error_count()
    if count > _MAX_ERRORS:
        return [f"{count} faults, too many to name one: try it with fewer values"]
    reasons: dict[str | int, dict[str, list[str]]] = {}
    errors = error.errors(include_url=False, include_context=False)
    for detail in errors[:_MAX_WORDED]:
        path = _path_in(arguments, detail["loc"])
        if detail["type"] in _MISSING:
            path = [*path, detail["loc"][-1]]
        places = reasons.setdefault(path[0] if path else "", {})
        where = place(path) or "arguments"
        places.setdefault(where, []).append(_detail_words(detail, path, known))
    more = count - _MAX_WORDED
    return [
        *_grouped(reasons.values()),
        *([f"and {more} more: mend these first"] if more > 0 else []),
    ]


def _grouped(arguments: Iterable[dict[str, list[str]]]) -> list[str]:
    """Return one fault for all places that share their reasons.

    At each place the reasons are those of the members of a union. What one
    argument has wrong in many places must not crowd out the other arguments.
    """
    places_of: dict[str, list[str]] = {}
    for places in arguments:
        for where, reasons in list(places.items())[:_MAX_PLACES]:
            words = "; or ".join(dict.fromkeys(reasons[:_MAX_ALTERNATIVES]))
            places_of.setdefault(words, []).append(where)
        if len(places) > _MAX_PLACES:
            places_of[words].append(f"{len(places) - _MAX_PLACES} places more")
    return [f"{_listed(where)}: {words}" for words, where in places_of.items()]


def _listed(places: list[str]) -> str:
    more = len(places) - MAX_FAULTS
    return ", ".join(places[:MAX_FAULTS]) + (f" and {more} more" if more > 0 else "")


def _path_in(arguments: Any, location: tuple[int | str, ...]) -> list[int | str]:
    """Return the steps that exist; the others name alternatives of a union."""
    path = []
    for step in location:
        if isinstance(arguments, dict):
            exists = step in arguments
        else:
            exists = isinstance(arguments, list) and step in range(len(arguments))
        if exists:
            path.append(step)
            arguments = arguments[step]
    return path


def _detail_words(
    detail: ErrorDetails, path: list[int | str], known: Sequence[str]
) -> str:
    match detail["type"]:
        case "unexpected_keyword_argument":
            return unknown(str(path[-1]), known)
        case "extra_forbidden":
            return "unknown here: remove it"
        case kind if kind in _MISSING:
            return "missing"
    reason = detail["msg"].removeprefix("Input ").removeprefix("Value error, ")
    return f"{shorten(reason, MAX_QUOTE * 2)}, got {quote(detail['input'])}"
