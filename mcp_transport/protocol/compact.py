"""Python types as JSON Schemas that are small and that every client reads.

Pydantic makes the schema. Here names that repeat the Python ones go, optional
types lose their ``anyOf``, and definitions take the place of their references,
because many clients stumble over ``$ref``.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PydanticUserError, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.json_schema import GenerateJsonSchema

from mcp_transport.protocol.schema import (
    BY_NAME,
    DATA,
    HEADER_KEYWORD,
    Schema,
    subschemas,
)

MAX_INLINED_NODES = 2_000  # schemas; beyond that references stay
_PREFIX = "#/$defs/"
_PLAIN = frozenset(("anyOf", "oneOf", "allOf", "not", "if", "$ref"))


class TooLarge(Exception):
    """Replacing the references would make the schema too large."""


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def adapter(annotation: Any, whose: str) -> TypeAdapter[Any]:
    """Return what validates and dumps ``annotation``.

    Raises TypeError, naming ``whose`` type it is, for one that has no schema.
    """
    try:
        return TypeAdapter(annotation)
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        reason = str(error.message).splitlines()[0]
        raise TypeError(f"{whose} has a type without a schema: {reason}") from None


def compact_schema(
    types: TypeAdapter[Any], mode: Literal["validation", "serialization"]
) -> Schema:
    """Return the schema of what ``types`` accepts or gives."""
    schema = types.json_schema(schema_generator=_Untitled, mode=mode)
    definitions: dict[str, Schema] = schema.pop("$defs", {})
    for name, definition in definitions.items():
        _drop_title(definition, name)
    _drop_title(schema, getattr(getattr(types, "_type", None), "__name__", ""))
    return _tidy(_inlined(schema, definitions))
