"""Schemas, types and arguments that cost a careless validator seconds, or a call.

What is only slow where a schema and a value are both large, and neither is wrong,
is not here: that is for whoever writes the schema to bound, by ``maxItems``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from mcp_transport import Tool

Json = dict[str, Any]
Schema = dict[str, Any]

WORD = "a" * 50_000 + "!"
# As many values as a message may hold, and some for the rest of it.
MANY = 19_000


@dataclass(frozen=True, slots=True)
class Bomb:
    """``takes`` is a raw schema, or the type of the argument ``a``; ``sent`` are the
    arguments, as the bytes of their JSON. ``refused`` says that no tool may have it.
    """

    what: str
    takes: Any
    sent: bytes = b"{}"
    refused: bool = False

    def tool(self, name: str) -> Tool:
        """Raises TypeError or ValueError for what no tool may have."""
        if isinstance(self.takes, dict):
            return Tool.of(_take_raw, input_schema=self.takes, name=name)

        def take(a: Any) -> str:
            """Take what the type allows."""
            return "taken"

        take.__annotations__["a"] = self.takes
        return Tool.of(take, name=name)


def _take_raw(arguments: dict[str, Any]) -> str:
    """Take what the schema allows."""
    return "taken"


# Made of these.


def a(value: Any) -> bytes:
    return json.dumps({"a": value}).encode()


def of(**keywords: Any) -> Schema:
    return {"type": "object", "properties": {"a": keywords}}


def nested(depth: int, inner: Any, around: Callable[[Any], Any]) -> Any:
    for _ in range(depth):
        inner = around(inner)
    return inner


def boxed(value: Any) -> Json:
    return {"x": value}


def chain(depth: int, width: int) -> Schema:
    """Return definitions each of which refers to the next so many times."""
    defs: Schema = {f"d{depth}": {"type": "string"}}
    for level in range(depth):
        step = {"properties": {"x": {"$ref": f"#/$defs/d{level + 1}"}}}
        defs[f"d{level}"] = {"anyOf": [step] * width}
    return {**of(**{"$ref": "#/$defs/d0"}), "$defs": defs}


def looped(definition: Schema) -> Schema:
    return {**of(**{"$ref": "#/$defs/n"}), "$defs": {"n": definition}}


RECURSIVE = [
    {"type": "integer"},
    {"type": "object", "properties": {"x": {"$ref": "#/$defs/n"}}},
    {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/n"}},
        "required": ["x"],
    },
]
OBJECTS = [{"a": number, "b": str(number)} for number in range(6_000)]
NAMES = tuple(f"choice {number}" for number in range(5_000))
CHOICES: Any = Literal[NAMES]
DEEP = 900


class Strict(BaseModel):
    """Nothing but what it names."""

    model_config = ConfigDict(extra="forbid")
    number: int = 0


class Tree(BaseModel):
    """Two of its kind, or none."""

    left: Tree | int | None = None
    right: Tree | int | None = None


# All numbers so far apart hash alike.
UUIDS = [str(UUID(int=number * (2**61 - 1))) for number in range(1, MANY)]

BOMBS = [
    # Hashes.
    Bomb("UUIDs that hash alike", set[UUID], a(UUIDS)),
    Bomb("keys that hash alike", dict[UUID, int], a(dict.fromkeys(UUIDS, 1))),
    # Sizes.
    Bomb("unique objects", of(uniqueItems=True), a(OBJECTS)),
    Bomb("unique but the last", of(uniqueItems=True), a([*OBJECTS[1:], OBJECTS[1]])),
    Bomb(
        "unique lists in lists",
        of(items={"uniqueItems": True}),
        a([[*range(130)]] * 140),
    ),
    Bomb(
        "one wrong item of many", of(items={"type": "integer"}), a([*range(MANY), "x"])
    ),
    Bomb("all items wrong", of(items={"type": "integer"}), a(["x"] * MANY)),
    Bomb("100,000 items wrong", of(items={"type": "integer"}), a(["x"] * 100_000)),
    Bomb("nothing contained", of(contains={"type": "integer"}), a(["x"] * MANY)),
    Bomb("a large enum", of(enum=list(NAMES)), a("none")),
    Bomb(
        "a large enum of each item",
        of(items={"enum": list(NAMES)}),
        a(["choice 4999"] * MANY),
    ),
    Bomb("a huge enum", of(enum=[*range(30_000)]), refused=True),
    Bomb("a large constant", of(const=[*range(15_000)]), a([*range(14_999), 0])),
    Bomb(
        "a schema of 10,000 properties",
        {"type": "object", "properties": {f"p{n}": {} for n in range(10_000)}},
        a(1),
    ),
    Bomb(
        "5,000 unknown names",
        {**of(), "additionalProperties": False},
        json.dumps(dict.fromkeys(NAMES, 1)).encode(),
    ),
    # Patterns.
    Bomb("(a+)+", of(pattern="^(a+)+$"), a(WORD)),
    Bomb("(a|aa)+", of(pattern="^(a|aa)+$"), a(WORD)),
    Bomb("(.*)* a hundred times", of(pattern="^" + "(.*)*" * 100 + "x$"), a(WORD)),
    Bomb(
        "patterns of names",
        {"type": "object", "patternProperties": {"^(a+)+$": False}},
        json.dumps({f"{WORD[:30]}{n}": 1 for n in range(6_000)}).encode(),
    ),
    Bomb(
        "a pattern of all names",
        {"type": "object", "propertyNames": {"pattern": "^(x+x+)+y$"}},
        json.dumps({"x" * 40 + str(n): 1 for n in range(6_000)}).encode(),
    ),
    Bomb("look-ahead", of(pattern="(?=a)b"), refused=True),
    Bomb("a reference back", of(pattern=r"(a)\1"), refused=True),
    Bomb("a huge repetition", of(pattern="(a{1,1000}){1,1000}"), refused=True),
    # Depth.
    Bomb(
        "anyOf ten deep",
        of(**nested(10, {"type": "string"}, lambda inner: {"anyOf": [inner, inner]})),
        a(1),
    ),
    Bomb("anyOf ten references deep", chain(10, 2), a(nested(10, 1, boxed))),
    Bomb("anyOf ten wide and deep", chain(10, 10), refused=True),
    Bomb("references a billion times", chain(30, 2), refused=True),
    Bomb("oneOf of itself", looped({"oneOf": RECURSIVE}), a(nested(40, "s", boxed))),
    Bomb("anyOf of itself", looped({"anyOf": RECURSIVE}), a(nested(40, "s", boxed))),
    Bomb("a reference to itself", looped({"allOf": [{"$ref": "#/$defs/n"}]}), a(1)),
    Bomb("a deep schema", nested(DEEP, of(), lambda inner: of(**inner)), refused=True),
    Bomb("deep arguments", of(), b'{"a":%b%b}' % (b"[" * DEEP, b"]" * DEEP)),
    Bomb("arguments that do not end", of(), b'{"a":%b' % (b"[" * 500_000)),
    # Types.
    Bomb("list[int]", list[int], a(["x"] * MANY)),
    Bomb("list of large choices", list[CHOICES], a(["x"] * MANY)),
    Bomb("list of unions", list[int | float | bool | None], a(["x"] * MANY)),
    Bomb(
        "dict of unions",
        dict[str, int | float],
        json.dumps({"a": dict.fromkeys(NAMES, "x")}).encode(),
    ),
    Bomb("strict models", list[Strict], a([{"x": 1}] * 6_000)),
    Bomb("a strict model", Strict, json.dumps({"a": dict.fromkeys(NAMES, 1)}).encode()),
    Bomb("a tree", Tree, a(nested(28, "x", lambda inner: {"left": inner}))),
    Bomb("a pattern of a type", Annotated[str, Field(pattern="^(a+)+$")], a(WORD)),
    Bomb(
        "unknown arguments",
        int,
        json.dumps({f"b{n}": 1 for n in range(9_000)}).encode(),
    ),
    Bomb("digits without end", int, a("9" * 900_000)),
]


def references(url: str) -> list[Bomb]:
    """Return what would ask a server for a schema, if anybody did."""
    return [
        Bomb("$ref", of(**{"$ref": url}), refused=True),
        Bomb("$ref of the root", {"type": "object", "$ref": url}, refused=True),
        Bomb("$dynamicRef", of(**{"$dynamicRef": url}), refused=True),
        Bomb("$schema", {"type": "object", "$schema": url}, refused=True),
        Bomb("$id and $ref", {"type": "object", "$id": url, "$ref": "x"}, refused=True),
        Bomb("$ref among data", of(enum=[{"$ref": url}]), a({"$ref": url})),
        Bomb(
            "$ref in arguments",
            of(),
            json.dumps({"$ref": url, "a": {"$schema": url}}).encode(),
        ),
    ]
