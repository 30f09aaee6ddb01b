"""JSON Schemas: checked at registration, compiled once, never fetched.

Schemas of Python signatures are in ``signature``.

Spec: 2026-07-28 basic/index #json-schema-usage, server/tools #tool.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from mcp_transport.protocol.faults import coarse_words, schema_words
from mcp_transport.protocol.naming import check_text
from mcp_transport.protocol.schematree import (
    BY_NAME,
    MAX_DEPTH,
    REFERENCES,
    Path,
    Schema,
    check_size,
    is_recursive,
    moved,
    subschemas,
)
from mcp_transport.protocol.wording import (
    MAX_REASON,
    ArgumentError,
    argument_error,
    place,
    quote,
    shorten,
)

DIALECTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
)
READ_BY_MODELS = ("title", "description", "$comment")
MASK = "the value"  # what messages say where they would repeat it
_LINEAR = jsonschema_rs.RegexOptions()

HEADER_KEYWORD = "x-mcp-header"
HEADER_TYPES = ("string", "integer", "boolean")
# A token of RFC 9110 section 5.6.2 without "_": WSGI servers drop such headers.
_HEADER_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")


def check_input_schema(schema: Any) -> None:
    """Raise ValueError, naming the fix, unless a tool can take this schema."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise ValueError('an input schema is an object with "type": "object"')
    _check(schema)
    header_params(schema)


def check_output_schema(schema: Any) -> None:
    """Raise ValueError, naming the fix, unless a tool can declare this schema.

    Its root may be of any type; see ``wrap_output_schema``.
    """
    if not isinstance(schema, dict):
        raise ValueError("an output schema is an object of JSON Schema keywords")
    _check(schema)


@dataclass(frozen=True, slots=True)
class HeaderParam:
    """An argument that clients also send as an HTTP header.

    ``header`` is the header's name in lower case, ``path`` leads to the
    argument, ``type`` is "string", "integer" or "boolean".
    """

    header: str
    path: tuple[str, ...]
    type: str


def header_params(schema: Schema) -> tuple[HeaderParam, ...]:
    """Return the arguments of an input schema that are mirrored in headers.

    Raises ValueError where a client would have to drop the tool.
    Spec: 2026-07-28 server/tools #x-mcp-header.
    """
    found: dict[str, HeaderParam] = {}
    for path, node in subschemas(schema):
        if HEADER_KEYWORD not in node:
            continue
        param = _header_param(path, node)
        if param.header in found:
            raise ValueError(
                f"{place(found[param.header].path)} and {place(param.path)} share the "
                f"{HEADER_KEYWORD} {quote(node[HEADER_KEYWORD])}: give each its own"
            )
        found[param.header] = param
    return tuple(found.values())


def wrap_output_schema(schema: Schema) -> Schema:
    """Return the schema of ``{"result": value}`` for a ``value`` of ``schema``.

    For revisions in which structured content is an object. Spec: SEP-2106.
    """
    inner = moved(schema, "#/properties/result")
    inner.pop("$id", None)  # names the schema that it was, not the one it is in
    wrapped = {"$schema": inner.pop("$schema")} if "$schema" in inner else {}
    wrapped["type"] = "object"
    wrapped["properties"] = {"result": inner}
    wrapped["required"] = ["result"]
    return wrapped


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
            fault = None if self._validator.is_valid(value) else self._fault(value)
        except ValueError as error:
            reason = shorten(str(error), MAX_REASON)
            raise ArgumentError(f"the value is not JSON: {reason}") from None
        if fault is not None:
            raise argument_error([fault])

    def _fault(self, value: Any) -> str:
        if self._parts is not None:
            return coarse_words(self.schema, self._parts, value)
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            return schema_words(self.schema, value, error)
        raise AssertionError("the validator contradicts itself")


def compile_schema(schema: Schema) -> jsonschema_rs.Validator:
    """Return a validator of ``schema``, its patterns linear in the text.

    Raises ValueError where the schema breaks the rules of its dialect, a
    reference leads nowhere or a pattern needs an engine that backtracks.
    """
    try:
        return jsonschema_rs.validator_for(
            schema, offline=True, mask=MASK, pattern_options=_LINEAR
        )
    except jsonschema_rs.ValidationError as error:
        where = place(error.instance_path) or "the root"
        reason = shorten(error.message, MAX_REASON)
        if error.kind.name == "format":
            reason += "; look-around, back-references and huge repetitions are refused"
        raise ValueError(f"not a valid schema at {where}: {reason}") from None


def compile_parts(schema: Schema) -> jsonschema_rs.ValidatorMap:
    """Return validators of the schemas in ``schema`` by their JSON pointers."""
    return jsonschema_rs.validator_map_for(
        schema, offline=True, mask=MASK, pattern_options=_LINEAR
    )


def _check(schema: Schema) -> None:
    check_size(schema)
    dialect = schema.get("$schema", DIALECTS[0])
    if not isinstance(dialect, str) or dialect.removesuffix("#") not in DIALECTS:
        raise ValueError(f"unknown dialect {quote(dialect)}: use {DIALECTS[0]}")
    for path, node in subschemas(schema):
        _check_node(path, node)
    is_recursive(schema)
    compile_schema(schema)


def _check_node(path: Path, node: Schema) -> None:
    where = place(path) or "the root"
    for keyword in REFERENCES:
        target = node.get(keyword, "#")
        if not isinstance(target, str) or not target.startswith("#"):
            raise ValueError(
                f"{keyword} {quote(target)} at {where} leaves the schema: "
                "put its target under $defs"
            )
    if "$recursiveRef" in node:
        raise ValueError(f'$recursiveRef at {where}: write "$ref": "#"')
    if path and ("$id" in node or "$schema" in node):
        raise ValueError(f"$id or $schema at {where}: only the root may have them")
    for keyword in READ_BY_MODELS:
        if isinstance(node.get(keyword), str):
            check_text(node[keyword])
    for keyword in BY_NAME & node.keys():
        if isinstance(node[keyword], dict):
            for name in node[keyword]:
                check_text(name)


def _header_param(path: Path, node: Schema) -> HeaderParam:
    where = place(path) or "the root"
    name = node[HEADER_KEYWORD]
    if not isinstance(name, str) or not _HEADER_TOKEN.fullmatch(name):
        raise ValueError(
            f"{HEADER_KEYWORD} {quote(name)} at {where}: use letters, digits, hyphens"
        )
    names = tuple(str(step) for step in path[1::2])
    if not path or len(path) % 2 or set(path[::2]) != {"properties"}:
        raise ValueError(
            f"{HEADER_KEYWORD} at {where}: only a property that the root reaches "
            "through nothing but properties may have it"
        )
    kind = node.get("type")
    if kind not in HEADER_TYPES:
        raise ValueError(
            f"{HEADER_KEYWORD} at {where}: the type is {quote(kind)}, "
            f"not one of {', '.join(HEADER_TYPES)}"
        )
    return HeaderParam(f"mcp-param-{name.lower()}", names, kind)


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
