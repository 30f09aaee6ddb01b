"""Python types as JSON Schemas that are small and that every client reads.

Pydantic makes the schema. Here titles that repeat Python names go, optional
types lose their ``anyOf``, and definitions take the place of the references to
them, because many clients stumble over ``$ref``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.errors import PydanticErrorMixin
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import SchemaError, SchemaValidator

from mcp_transport.protocol.schema import HEADER_KEYWORD
from mcp_transport.protocol.schematree import BY_NAME, DATA, Schema, subschemas

MAX_INLINED = 2_000  # schemas; beyond that references stay references
_PREFIX = "#/$defs/"
_COMBINING = frozenset(("$ref", "anyOf", "oneOf", "allOf", "not", "if"))
# What is looked at item by item; and where pydantic keeps data, no schemas.
_SEQUENCES = ("list", "tuple", "set", "frozenset")
_KEPT = frozenset(("config", "default", "expected", "metadata", "serialization"))
# As many as there may be of what a caller can make hash alike, as numbers and UUIDs:
# such are compared each with each.
MAX_UNIQUE = 1_000
_HASHED = (
    ("set", "items_schema"),
    ("frozenset", "items_schema"),
    ("dict", "keys_schema"),
)
# There are few of them, or their hashes nobody can choose.
_APART = (
    "bool",
    "bytes",
    "date",
    "datetime",
    "enum",
    "float",
    "literal",
    "none",
    "str",
)
_NULL = {"type": "null"}
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


class _TooLarge(Exception):
    pass


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def adapter(annotation: Any) -> TypeAdapter[Any]:
    """Return what validates and dumps values of the type ``annotation``.

    A list, a tuple or a set is validated up to its first bad item, or its faults
    would cost more than all else that a caller can send. Raises TypeError for a
    type that has no schema.
    """
    try:
        types = TypeAdapter(annotation)
        types.validator = SchemaValidator(_failing_fast(types.core_schema))
        return types
    except SchemaError as error:
        raise TypeError(" ".join(str(error).split())) from None
    except Exception as error:
        raise _as_type_error(error) from None


def input_adapter(annotation: Any) -> TypeAdapter[Any]:
    """Return what validates the type ``annotation`` of what a caller sends.

    A set, or a dictionary by its keys, of what can be made to hash alike has at most
    MAX_UNIQUE items, unless the type says how many. Raises TypeError as ``adapter``.
    """
    types = adapter(annotation)
    types.core_schema = _bounded(types.core_schema)
    types.validator = SchemaValidator(_failing_fast(types.core_schema))
    return types


def _bounded(node: Any) -> Any:
    """Return a copy whose sets and dictionaries are bounded where they have to be.

    Models and dataclasses say for themselves what they take.
    """
    if isinstance(node, list):
        return [_bounded(item) for item in node]
    if not isinstance(node, dict) or node.get("type") in ("model", "dataclass"):
        return node
    copied = {k: v if k in _KEPT else _bounded(v) for k, v in node.items()}
    for kind, hashed in _HASHED:
        if node.get("type") == kind and _may_collide(kind, node.get(hashed, {})):
            copied.setdefault("max_length", MAX_UNIQUE)
    return copied


def _may_collide(kind: str, hashed: Any) -> bool:
    of = hashed.get("type", "any")
    # In JSON, keys are strings: those that are taken as they are stay such.
    return of not in _APART and (kind, of) != ("dict", "any")


def _failing_fast(node: Any) -> Any:
    """Return a copy whose sequences are left at their first bad item.

    Models and dataclasses have validators of their own, which nobody may touch.
    """
    if isinstance(node, list):
        return [_failing_fast(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {k: v if k in _KEPT else _failing_fast(v) for k, v in node.items()}
    if node.get("type") in _SEQUENCES:
        copied["fail_fast"] = True
    return copied


def compact_schema(
    types: TypeAdapter[Any], mode: Literal["validation", "serialization"]
) -> Schema:
    """Return the schema of what ``types`` accepts, or of what it gives.

    Raises TypeError for a type that has no schema, ValueError for a schema
    given by hand that refers to what pydantic does not know.
    """
    try:
        schema = types.json_schema(schema_generator=_Untitled, mode=mode)
    except KeyError as error:
        # Pydantic looks each reference up among its own definitions.
        raise ValueError(
            f"$ref {error} leaves the schema: write its target in its place"
        ) from error
    except Exception as error:
        raise _as_type_error(error) from None
    schema.pop("title", None)
    for definition in schema.get("$defs", {}).values():
        definition.pop("title", None)
    inlining = _Inlining(schema)
    if mode == "validation":
        inlining.check_alternatives()
    tidied: Schema = _tidy(inlining.inlined())
    return tidied


def _as_type_error(error: Exception) -> Exception:
    if isinstance(error, PydanticErrorMixin):
        reason = error.message.splitlines()[0].split(". Set `arbitrary", 1)[0]
        reason = reason.removesuffix(".")
        return TypeError(
            f"{reason}: use plain types, pydantic models, dataclasses or TypedDict"
        )
    return error


class _Inlining:
    """Puts definitions in the place of their references, but recursive ones."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._definitions: dict[str, Schema] = schema.get("$defs", {})
        self._recursive = {
            name
            for name, definition in self._definitions.items()
            if name in self._reached(definition)
        }
        self._left = MAX_INLINED

    def inlined(self) -> Schema:
        root = {key: value for key, value in self._schema.items() if key != "$defs"}
        name = root.get("$ref", "").removeprefix(_PREFIX)
        if name in self._recursive:  # the root has to show its type
            root = self._definitions[name]
        try:
            result: Schema = self._expand(root)
            definitions = {
                name: self._expand(definition)
                for name, definition in self._definitions.items()
                if name in self._recursive
            }
        except _TooLarge:
            return {**root, "$defs": self._definitions}
        return {**result, "$defs": definitions} if definitions else result

    def check_alternatives(self) -> None:
        """Raise TypeError for a union that takes exponential time to validate.

        Pydantic tries every member of a union without a discriminator, and so
        does every level of a nested value, if several members are recursive.
        """
        for _, node in subschemas(self._schema):
            types = [
                self._resolved(option).get("type", "")
                for option in node.get("anyOf", ())
                if not self._recursive.isdisjoint(self._reached(option))
            ]
            if len(types) > len(set(types)):
                raise TypeError(
                    "several members of a union contain the union again: tell them "
                    "apart with Field(discriminator=...)"
                )

    def _resolved(self, node: Schema) -> Schema:
        for name in _targets({"$ref": node.get("$ref")}):
            return self._resolved(self._definitions.get(name, {}))
        return node

    def _reached(self, node: Schema) -> set[str]:
        """Return the names of all definitions that ``node`` leads to."""
        seen: set[str] = set()
        waiting = [node]
        while waiting:
            for target in _targets(waiting.pop()):
                if target in self._definitions and target not in seen:
                    seen.add(target)
                    waiting.append(self._definitions[target])
        return seen

    def _expand(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._expand(item) for item in node]
        if not isinstance(node, dict):
            return node
        self._left -= 1
        if self._left < 0:
            raise _TooLarge
        name = str(node.get("$ref", "")).removeprefix(_PREFIX)
        if name in self._definitions and name not in self._recursive:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return self._expand({**self._definitions[name], **beside})
        return _each_schema(node, self._expand)


def _targets(schema: Schema) -> Iterator[str]:
    for _, node in subschemas(schema):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_PREFIX):
            yield reference.removeprefix(_PREFIX)


def _each_schema(node: Schema, change: Any) -> Schema:
    """Return ``node`` with ``change`` applied to the schemas right inside of it."""
    changed = {}
    for keyword, value in node.items():
        if keyword in BY_NAME and isinstance(value, dict):
            changed[keyword] = {name: change(item) for name, item in value.items()}
        else:
            changed[keyword] = value if keyword in DATA else change(value)
    return changed


def _tidy(node: Any) -> Any:
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = _each_schema(node, _tidy)
    # A hint for OpenAPI whose mapping names definitions that have moved.
    if isinstance(node.get("discriminator"), dict):
        del node["discriminator"]
    # Null as a default says no more than that the argument may be left out.
    if node.get("default", "") is None:
        del node["default"]
    if "enum" in node and "type" not in node:
        types = list(dict.fromkeys(_TYPES.get(type(v), "null") for v in node["enum"]))
        node["type"] = types if len(types) > 1 else types[0]
    return _without_any_of(node)


def _without_any_of(node: Schema) -> Schema:
    """Write alternatives that differ by type alone as one schema."""
    options = node.get("anyOf")
    if not options:
        return node
    beside = {key: value for key, value in node.items() if key != "anyOf"}
    if HEADER_KEYWORD in beside and _NULL in options and len(options) == 2:
        # Clients drop a tool whose header is not of one primitive type; to
        # send null they leave the argument out.
        (kept,) = (option for option in options if option != _NULL)
        return {**kept, **beside}
    bare = [option for option in options if set(option) == {"type"}]
    rich = [option for option in options if set(option) != {"type"}]
    if len(rich) > 1 or any("type" not in o or _COMBINING & o.keys() for o in rich):
        return node
    merged = dict(rich[0]) if rich else {}
    if "enum" in merged or "const" in merged:
        if bare != [_NULL]:
            return node
        merged["enum"] = [*merged.pop("enum", [merged.pop("const", None)]), None]
    types = [t for option in options for t in _as_list(option["type"])]
    return {**merged, "type": list(dict.fromkeys(types)), **beside}


def _as_list(types: str | list[str]) -> list[str]:
    return types if isinstance(types, list) else [types]
