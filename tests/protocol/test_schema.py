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
        (of(a={"description": "ab\u202e"}), "U+202E"),
        ({"type": "object", "title": "\u200b"}, "U+200B"),
        (of(**{"a\u200b": {}}), "U+200B"),
        (of(a={1: 2}), "the keys of a schema are strings"),
    ],
)
def test_a_bad_input_schema_is_refused_with_the_fix(schema: Any, fault: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_input_schema(schema)
    assert fault in str(caught.value)


def test_an_output_schema_may_have_any_root() -> None:
    check_output_schema({"type": "array", "items": {"type": "integer"}})
    check_output_schema({})
    refused: list[Any] = [None, True, [], "string"]
    for schema in refused:
        with pytest.raises(ValueError, match="an output schema is an object"):
            check_output_schema(schema)


def test_depth_and_size_are_bounded() -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(31):
        deep = of(a=deep)
    check_input_schema(deep)  # 63 levels of objects
    with pytest.raises(ValueError, match="nested deeper than 64"):
        check_input_schema(of(a=deep))
    wide = of(**{f"p{n}": True for n in range(19_000)})
    check_input_schema(wide)
    wide["properties"].update({f"q{n}": True for n in range(1_000)})
    with pytest.raises(ValueError, match="more than 20000 nodes"):
        check_input_schema(wide)


def fan(levels: int, combine: str) -> dict[str, Any]:
    """A schema of few nodes that doubles at each level of references."""
    definitions: dict[str, Any] = {"d0": {"type": ["integer", "object"]}}
    for n in range(1, levels + 1):
        definitions[f"d{n}"] = {combine: [{"$ref": f"#/$defs/d{n - 1}"}] * 2}
    return {"$ref": f"#/$defs/d{levels}", "$defs": definitions}


@pytest.mark.parametrize("combine", ["allOf", "anyOf", "oneOf", "prefixItems"])
def test_references_that_multiply_are_refused(combine: str) -> None:
    check_output_schema(fan(8, combine))
    with pytest.raises(ValueError, match="with its references replaced"):
        check_output_schema(fan(24, combine))


def test_references_through_an_anchor_multiply_too() -> None:
    schema = fan(24, "anyOf")
    for n, definition in enumerate(schema["$defs"].values()):
        definition["$anchor"] = f"anchor{n}"
        if "anyOf" in definition:
            definition["anyOf"] = [{"$ref": f"#anchor{n - 1}"}] * 2
    with pytest.raises(ValueError, match="with its references replaced"):
        check_output_schema(schema)


def test_a_long_chain_of_references_is_refused() -> None:
    chain = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(5_000)}
    schema = {"$ref": "#/$defs/d0", "$defs": {**chain, "d5000": {}}}
    with pytest.raises(ValueError, match="references lead deeper than 128"):
        check_output_schema(schema)


# What an argument may look like, and what is said of it.


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({}, "name: missing"),
        ({"name": 3}, "name: should be string, got 3"),
        (
            {"name": "", "age": -1},
            "age: the value is less than the minimum of 0, got -1",
        ),
        ({"name": "", "agee": 1}, 'agee: unknown argument; did you mean "age"?'),
        ({"name": "", "Name": 1}, 'Name: unknown argument; did you mean "name"?'),
        ({"name": "", "zz": 1}, "zz: unknown argument; known: name, age, state, lines"),
        ({"name": "", "state": "x"}, 'state: should be one of "open", null, got "x"'),
        (
            {"name": "", "lines": [{"sku": "a"}, {"sku": 5}]},
            "lines[1].sku: should be null or string, got 5",
        ),
        ({"name": "", "lines": [{}]}, "lines[0].sku: missing"),
        (
            {"name": "", "lines": [{"sku": "a", "count": []}]},
            "lines[0].count: should be integer; or should be string, got []",
        ),
        ([], "should be object, got []"),
    ],
)
def test_the_first_fault_is_named_in_words(value: Any, fault: str) -> None:
    line = of(
        sku={"type": ["string", "null"]},
        count={"anyOf": [{"type": "integer"}, {"type": "string"}]},
    )
    schema = of(
        name={"type": "string"},
        age={"type": "integer", "minimum": 0},
        state={"enum": ["open", None]},
        lines={"type": "array", "items": {"$ref": "#/$defs/line"}},
    )
    schema |= {"required": ["name"], "additionalProperties": False}
    schema["$defs"] = {"line": {**line, "required": ["sku"]}}
    with pytest.raises(ArgumentError) as caught:
        JsonSchema(schema).validate(value)
    assert str(caught.value) == f"Invalid arguments:\n- {fault}"


def test_alternatives_name_the_place_inside_of_each() -> None:
    schema = of(
        to={
            "oneOf": [
                {"type": "string", "maxLength": 2},
                {**of(mail={"type": "string"}), "required": ["mail"]},
            ]
        }
    )
    with pytest.raises(ArgumentError, match="to: should be string; or mail should be"):
        JsonSchema(schema).validate({"to": {"mail": 3}})
    with pytest.raises(ArgumentError, match="fits more than one of the alternatives"):
        JsonSchema({"oneOf": [{}, {}]}).validate(1)


def test_the_conformance_schema_validates() -> None:
    schema = JsonSchema(FULL)
    schema.validate({"contactMethod": "phone", "phone": "1"})
    with pytest.raises(ArgumentError, match="phone: missing"):
        schema.validate({"contactMethod": "phone", "email": "a"})


def test_a_fault_is_short_whatever_was_sent() -> None:
    schema = JsonSchema({**of(a={"type": "integer"}), "additionalProperties": False})
    for value in (
        {"a": "x" * 1_000_000},
        {"a": ["x" * 1_000_000]},
        {"a": [10**4000]},
        {"a": 10**4000 / 10**3990 + 0.5},
        {"b" * 1_000_000: 1},
        {"a": {"k" * 1_000_000: 1}},
    ):
        with pytest.raises(ArgumentError) as caught:
            schema.validate(value)
        assert len(str(caught.value)) < 400


def test_what_json_cannot_say_is_a_fault_of_the_value() -> None:
    schema = JsonSchema(of(a={"type": "string"}))
    for value in ({"a": object()}, {"a": b""}, {1: 2}, {"a": {"\ud800"}}):
        with pytest.raises(ArgumentError, match="the value is not JSON"):
            schema.validate(value)


def test_a_lone_surrogate_is_a_fault_that_can_be_written() -> None:
    for kind in ("integer", "string"):
        with pytest.raises(ArgumentError) as caught:
            JsonSchema(of(a={"type": kind, "minLength": 2})).validate({"a": "\ud800"})
        str(caught.value).encode()


def test_a_value_is_bounded_in_depth() -> None:
    node = {"type": ["object", "integer"], "additionalProperties": {"$ref": "#"}}
    schema = JsonSchema(node)
    schema.validate(nested(64))
    for depth in (65, 100_000):  # the latter would overflow the C stack
        with pytest.raises(ArgumentError, match="nested deeper than 64 levels"):
            schema.validate(nested(depth))


def tree(combine: str) -> dict[str, Any]:
    """A recursive schema whose alternatives are alike but for a tag."""
    node = {"$ref": "#/$defs/node"}
    options = [of(tag={"const": tag}, a=node) for tag in "xyz"]
    return {
        **of(root=node, name={"type": "string"}),
        "required": ["name"],
        "$defs": {"node": {combine: [{"type": "integer"}, *options]}},
    }


HOSTILE: dict[str, tuple[Any, Any, str]] = {
    "recursive oneOf": (
        tree("oneOf"),
        {"name": "", "root": nested(62, "no")},
        "root: does not fit its schema",
    ),
    "recursive anyOf": (
        tree("anyOf"),
        {"name": "", "root": nested(62, "no")},
        "root: does not fit its schema",
    ),
    "recursive and a fault elsewhere": (
        tree("anyOf"),
        {"name": 3, "root": nested(62)},
        "name: does not fit its schema",
    ),
    "recursive and a missing argument": (tree("anyOf"), {"root": 1}, "name: missing"),
    "uniqueItems": (
        of(a={"uniqueItems": True}),
        {"a": [{"n": n, "m": [n]} for n in range(6_000)] + [{"n": 0, "m": [0]}]},
        "a: the value has non-unique elements, got a list",
    ),
    "exponential pattern": (
        of(a={"type": "string", "pattern": "^(a+)+$"}),
        {"a": "a" * 100_000 + "!"},
        "a: the value does not match",
    ),
    "many faults": (
        of(a={"items": {"type": "string"}}),
        {"a": list(range(100_000))},
        "a[0]: should be string, got 0",
    ),
    "deep anyOf": (
        fan(8, "anyOf"),
        "no",
        "should be integer or object",
    ),
    "a schema that is itself": ({"$ref": "#"}, 1, "fits"),
    "schemas that are each other": (
        {
            "$ref": "#/$defs/a",
            "$defs": {
                "a": {"allOf": [{"$ref": "#/$defs/b"}]},
                "b": {"anyOf": [{"$ref": "#/$defs/a"}]},
            },
        },
        1,
        "fits",
    ),
    "a dynamic circle": ({"$dynamicAnchor": "n", "$dynamicRef": "#n"}, 1, "fits"),
    "huge divisor": ({"multipleOf": 1e-300}, 1e300, "fits"),
}
JUDGE = """
import json, sys
from mcp_transport.protocol.schema import JsonSchema
schema, value = json.load(sys.stdin)
try:
    JsonSchema(schema).validate(value)
    print("fits")
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_judged_without_hanging(name: str) -> None:
    schema, value, verdict = HOSTILE[name]
    # In a process of its own, since a validator that hangs cannot be stopped.
    done = subprocess.run(
        [sys.executable, "-c", JUDGE],
        input=json.dumps([schema, value]).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert verdict in done.stdout.decode()


# References are never fetched.


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$schema", "$id"])
def test_no_socket_is_opened_for_a_schema(
    keyword: str, listener: socket.socket
) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/schema"
    inside = of(a={keyword: url})
    for schema in (inside, {"type": "object", keyword: url, "$defs": {"a": {}}}):
        for check in (check_input_schema, check_output_schema, JsonSchema):
            try:
                check(schema)
            except ValueError as error:
                assert url in str(error) or "only the root" in str(error)
            else:
                assert keyword == "$id" and schema is not inside
    # Nor by what compiles, should a check let a reference slip through.
    try:
        compile_schema(inside).is_valid({"a": {}})
    except ValueError as error:
        assert url in str(error)
    with pytest.raises(BlockingIOError):
        listener.accept()
    with socket.create_connection(listener.getsockname()):
        listener.setblocking(True)
        listener.accept()[0].close()


# Arguments as headers.


def test_header_params_are_found_through_properties_alone() -> None:
    schema = of(
        region={"type": "string", "x-mcp-header": "Region"},
        page={**of(size={"type": "integer", "x-mcp-header": "Page-Size"})},
        dry={"type": "boolean", "x-mcp-header": "dry!run"},
        plain={"type": "string", "default": {"x-mcp-header": "No"}},
    )
    check_input_schema(schema)
    assert header_params(schema) == (
        HeaderParam("mcp-param-region", ("region",), "string"),
        HeaderParam("mcp-param-page-size", ("page", "size"), "integer"),
        HeaderParam("mcp-param-dry!run", ("dry",), "boolean"),
    )
    assert header_params({"type": "object"}) == ()


def test_a_property_may_be_named_as_the_keyword() -> None:
    assert header_params(of(**{"x-mcp-header": {"type": "string"}})) == ()


MARK = {"type": "string", "x-mcp-header": "A"}


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (of(a={**MARK, "x-mcp-header": ""}), 'x-mcp-header "" at properties.a'),
        (of(a={**MARK, "x-mcp-header": 3}), "use letters, digits, hyphens"),
        (of(a={**MARK, "x-mcp-header": "a b"}), "use letters, digits, hyphens"),
        (of(a={**MARK, "x-mcp-header": "a:b"}), "use letters, digits, hyphens"),
        (of(a={**MARK, "x-mcp-header": "a\r\nb"}), "use letters, digits, hyphens"),
        (of(a={**MARK, "x-mcp-header": "ä"}), "use letters, digits, hyphens"),
        (of(a={**MARK, "x-mcp-header": "my_key"}), "use letters, digits, hyphens"),
        (of(a={**MARK, "type": "number"}), 'the type is "number"'),
        (of(a={**MARK, "type": ["string", "null"]}), "the type is a list"),
        (of(a={"x-mcp-header": "A"}), "the type is null"),
        (of(a=MARK, b={**MARK, "x-mcp-header": "a"}), "a and b share the"),
        (of(a={"type": "array", "items": MARK}), "through nothing but properties"),
        (of(a={"anyOf": [MARK]}), "at properties.a.anyOf[0]"),
        (of(a={"patternProperties": {"x": MARK}}), "nothing but properties"),
        ({"type": "object", "then": of(a=MARK)}, "nothing but properties"),
        ({**of(a={"$ref": "#/$defs/m"}), "$defs": {"m": MARK}}, "at $defs.m"),
        ({**MARK, "type": "object"}, "at the root"),
        ({**of(), "x-kept": MARK}, "at x-kept"),
    ],
)
def test_a_header_that_clients_would_refuse_is_refused(
    schema: dict[str, Any], fault: str
) -> None:
    for check in (check_input_schema, header_params):
        with pytest.raises(ValueError) as caught:
            check(schema)
        assert fault in str(caught.value)


# Wrapping for the revisions whose structured content is an object.


def test_wrapping_puts_the_schema_under_result() -> None:
    assert wrap_output_schema({"$schema": DRAFT, "type": "integer"}) == {
        "$schema": DRAFT,
        "type": "object",
        "properties": {"result": {"type": "integer"}},
        "required": ["result"],
    }


def test_wrapping_rewrites_local_pointers_and_nothing_else() -> None:
    schema = {
        "$id": "https://example.com/x",
        "type": "array",
        "items": {"$ref": "#/$defs/node"},
        "default": [{"$ref": "#/$defs/node"}],
        "$defs": {
            "node": {
                "$anchor": "node",
                "properties": {
                    "$ref": {"type": "string"},
                    "root": {"$ref": "#"},
                    "same": {"$ref": "#node"},
                    "more": {"anyOf": [{"$dynamicRef": "#/$defs/node"}, True]},
                    "const": {"$ref": "#/$defs/node"},
                },
            }
        },
    }
    before = json.dumps(schema)
    here = "#/properties/result"
    assert wrap_output_schema(schema)["properties"]["result"] == {
        "type": "array",
        "items": {"$ref": f"{here}/$defs/node"},
        "default": [{"$ref": "#/$defs/node"}],
        "$defs": {
            "node": {
                "$anchor": "node",
                "properties": {
                    "$ref": {"type": "string"},
                    "root": {"$ref": here},
                    "same": {"$ref": "#node"},
                    "more": {"anyOf": [{"$dynamicRef": f"{here}/$defs/node"}, True]},
                    "const": {"$ref": f"{here}/$defs/node"},
                },
            }
        },
    }
    assert json.dumps(schema) == before


def test_a_wrapped_schema_judges_as_the_schema_does() -> None:
    schema = {
        "type": "array",
        "items": {"anyOf": [{"type": "integer"}, {"$ref": "#"}]},
    }
    wrapped = JsonSchema(wrap_output_schema(schema))
    wrapped.validate({"result": [1, [2, [3]]]})
    for value in ({"result": [["x"]]}, {}, [1]):
        with pytest.raises(ArgumentError):
            wrapped.validate(value)
