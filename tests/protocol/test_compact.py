from __future__ import annotations

import datetime
import decimal
import json
import uuid
from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import Field, JsonValue, WithJsonSchema
from typing_extensions import TypeAliasType, TypedDict

from mcp_transport.protocol.compact import MAX_UNIQUE, adapter, compact_schema
from mcp_transport.protocol.schema import JsonSchema
from mcp_transport.protocol.signature import Output, Parameters
from mcp_transport.protocol.wording import ArgumentError
from tests.protocol.types_of_users import (
    Address,
    Color,
    Dog,
    Loose,
    Node,
    Order,
    Pet,
)


class Size(TypedDict):
    width: int
    height: NotRequired[int]


Tree = TypeAliasType("Tree", "dict[str, Tree] | list[Tree] | int | None")


def schema_of(annotation: Any) -> Any:
    return compact_schema(adapter(annotation), "validation")


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int | None, {"type": ["integer", "null"]}),
        (int | str, {"type": ["integer", "string"]}),
        (int | str | None, {"type": ["integer", "string", "null"]}),
        (list[int] | None, {"type": ["array", "null"], "items": {"type": "integer"}}),
        (Literal["a"], {"type": "string", "const": "a"}),
        (Literal["a"] | None, {"type": ["string", "null"], "enum": ["a", None]}),
        (Literal[1, "a"], {"type": ["integer", "string"], "enum": [1, "a"]}),
        (Color, {"type": "string", "enum": ["r", "g"]}),
        (
            Color | int,
            {"anyOf": [{"type": "string", "enum": ["r", "g"]}, {"type": "integer"}]},
        ),
        (datetime.date, {"type": "string", "format": "date"}),
        (uuid.UUID, {"type": "string", "format": "uuid"}),
        (Any, {}),
        (JsonValue, {}),
        (
            dict[str, int],
            {"type": "object", "additionalProperties": {"type": "integer"}},
        ),
        (
            Size,
            {
                "type": "object",
                "properties": {
                    "width": {"type": "integer"},
                    "height": {"type": "integer"},
                },
                "required": ["width"],
            },
        ),
        (
            Address | None,
            {
                "type": ["object", "null"],
                "description": "Where it goes.",
                "properties": {
                    "title": {"type": "string"},
                    "zip": {"type": ["string", "null"]},
                },
                "required": ["title"],
            },
        ),
    ],
)
def test_a_type_has_a_small_schema(annotation: Any, schema: Any) -> None:
    assert schema_of(annotation) == schema


def test_definitions_take_the_place_of_references() -> None:
    assert "$ref" not in json.dumps(schema_of(Order))
    assert schema_of(Order)["properties"]["lines"]["items"] == schema_of(Address)


def test_recursive_types_keep_their_references_under_a_root_with_a_type() -> None:
    schema = schema_of(Order | Node)
    assert schema["anyOf"][1] == {"$ref": "#/$defs/Node"}
    assert set(schema["$defs"]) == {"Node"}
    assert schema_of(Node)["type"] == "object"
    JsonSchema(schema_of(Node)).validate({"value": 1, "next": {"value": 2}})


def test_discriminators_leave_no_dangling_names() -> None:
    schema = schema_of(dict[str, Pet])
    assert "discriminator" not in json.dumps(schema)
    assert schema["additionalProperties"]["oneOf"] == [
        {"$ref": "#/$defs/Cat"},
        {"$ref": "#/$defs/Dog"},
    ]
    JsonSchema(schema).validate({"a": {"kind": "cat", "friend": {"kind": "dog"}}})


def test_definitions_that_would_multiply_stay_where_they_are() -> None:
    models: list[Any] = [int]
    for n in range(8):
        fields = {f"f{i}": models[-1] for i in range(3)}
        models.append(TypedDict(f"Level{n}", fields))  # type: ignore[operator]
    schema = schema_of(models[-1])
    assert len(schema["$defs"]) == 7
    assert len(json.dumps(schema)) < 3_000
    JsonSchema(schema_of(models[3])).validate(
        {
            f"f{i}": {f"f{j}": {f"f{k}": 1 for k in range(3)} for j in range(3)}
            for i in range(3)
        }
    )
    assert "$defs" not in schema_of(models[3])


@pytest.mark.parametrize("union", [Loose | Dog, list[Loose], dict[str, Loose | int]])
def test_a_union_that_takes_exponential_time_is_refused(union: Any) -> None:
    with pytest.raises(TypeError, match=r"tell them apart with Field\(discriminator"):
        schema_of(union)


@pytest.mark.parametrize(
    "union",
    [Node | None, Pet, list[Address] | Address | Order, Node | int | list[int], Tree],
)
def test_a_union_that_stays_linear_is_accepted(union: Any) -> None:
    assert schema_of(union)


def test_references_of_a_handwritten_schema_are_left_alone() -> None:
    kept = {"$ref": "https://example.com/s"}
    assert schema_of(Annotated[int, WithJsonSchema(kept)]) == kept


def test_a_type_without_a_schema_is_refused_in_one_line() -> None:
    with pytest.raises(TypeError, match="use plain types, pydantic models") as caught:
        schema_of(object())
    assert "\n" not in str(caught.value)
    assert "arbitrary_types_allowed" not in str(caught.value)


# Numbers that Python hashes alike, as it does all numbers this far apart.
ALIKE = [n * (2**61 - 1) for n in range(1, 20_000)]


@pytest.mark.parametrize(
    ("annotation", "sent"),
    [
        (set[int], ALIKE),
        (frozenset[int | str], ALIKE),
        (set[Any], ALIKE),
        (set[decimal.Decimal], [str(n) for n in ALIKE]),
        (set[uuid.UUID], [str(uuid.UUID(int=n)) for n in ALIKE]),
        (dict[int, int], {str(n): 1 for n in ALIKE}),
        (dict[uuid.UUID, int], {str(uuid.UUID(int=n)): 1 for n in ALIKE}),
    ],
)
def test_of_what_may_hash_alike_there_are_not_too_many(
    annotation: Any, sent: Any
) -> None:
    def function(a: Any) -> None: ...

    function.__annotations__["a"] = list[annotation] | None
    parameters = Parameters.of(function)
    shown = parameters.schema["properties"]["a"]["items"]
    assert MAX_UNIQUE in (shown.get("maxItems"), shown.get("maxProperties"))
    with pytest.raises(ArgumentError, match="at most 1000 items"):
        parameters.validate({"a": [sent]})
    few = sent[:1000] if isinstance(sent, list) else dict(list(sent.items())[:1000])
    assert len(parameters.validate({"a": [few]})["a"][0]) == 1000


@pytest.mark.parametrize(
    ("annotation", "sent"),
    [
        (set[str], [str(n) for n in range(5_000)]),
        (dict[str, int], {str(n): n for n in range(5_000)}),
        (dict, {str(n): n for n in range(5_000)}),
        (Annotated[set[int], Field(max_length=5_000)], list(range(5_000))),
        (list[int], list(range(5_000))),
    ],
)
def test_of_anything_else_there_are_as_many_as_the_type_says(
    annotation: Any, sent: Any
) -> None:
    def function(a: Any) -> None: ...

    function.__annotations__["a"] = annotation
    assert len(Parameters.of(function).validate({"a": sent})["a"]) == 5_000


def test_a_set_that_is_given_back_may_be_of_any_size() -> None:
    output = Output.of(set[int])
    assert output is not None
    assert len(output.dump(set(range(5_000)))) == 5_000
