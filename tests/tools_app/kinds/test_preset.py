from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from mcp_transport import ToolError, connect
from mcp_transport import catalogue as shelf
from mcp_transport.engine.observing import Observer, ServedRequest
from mcp_transport.engine.quotas import Quotas
from mcp_transport.engine.rates import Rate, Use
from mcp_transport.engine.tool import Tool
from mcp_transport.protocol.errors import InsufficientScope, ProtocolError
from tests.tools_app.kinds.making import caller, complaints, made, served
from tools_app.ledger.record import recorded
from tools_app.ledger.redaction import HIDDEN, Redaction

Json = dict[str, Any]


def count_orders(
    status: Literal["open", "sent"], customer: int | None = None, limit: int = 10
) -> dict[str, str]:
    """Count the orders.

    Args:
        limit: how many at most.
    """
    if customer == 13:
        raise ToolError("Customer 13 is nobody.")
    return {"asked": f"{status} {customer} {limit}"}


BASE = Tool.of(
    count_orders, permission="shop.view_order", tags=["orders"], read_only=True
)
OPEN: Json = {"tool": "count_orders", "arguments": {"status": "open"}}
MAY = {"permissions": ["shop.view_order"]}


@pytest.fixture(autouse=True)
def _registered() -> Any:
    """The form offers what code registers."""
    shelf.add(BASE)
    yield
    shelf.remove("tools", "count_orders")


def preset(spec: Json = OPEN, base: Tool = BASE, **texts: str) -> Any:
    return made("preset", "count_open", spec, base, **texts)


async def called(entry: Tool, arguments: Json, **options: Any) -> Json:
    async with connect(served(entry, BASE), caller=caller("*", **MAY)) as client:
        return await client.call_tool("count_open", arguments)


def refused(spec: Json, base: Tool = BASE) -> str:
    with pytest.raises(ValueError) as caught:
        preset(spec, base)
    return str(caught.value)


async def test_it_is_the_tool_without_the_arguments_that_are_fixed() -> None:
    async with connect(served(preset(), BASE), caller=caller("*", **MAY)) as client:
        preset_listed, base_listed = await client.list_tools()
        if preset_listed["name"] != "count_open":
            preset_listed, base_listed = base_listed, preset_listed
        result = await client.call_tool("count_open", {"customer": 7})
    properties = base_listed["inputSchema"]["properties"]
    assert preset_listed == {
        **base_listed,
        "name": "count_open",
        "inputSchema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {k: properties[k] for k in ("customer", "limit")},
        },
    }
    assert result["structuredContent"] == {"asked": "open 7 10"}


def test_what_an_administrator_writes_stands_in_place_of_the_tools_words() -> None:
    listed = preset(title="Open orders", description="Only the open ones.").to_json()
    assert (listed["title"], listed["description"]) == (
        "Open orders",
        "Only the open ones.",
    )
    assert listed["_meta"] == {"tags": ["orders"]}


@pytest.mark.parametrize("status", ["open", "sent", "x", None])
async def test_a_fixed_argument_cannot_be_given(status: Any) -> None:
    result = await called(preset(), {"status": status})
    assert result["isError"]
    assert "status: unknown argument" in result["content"][0]["text"]


async def test_all_else_is_for_the_tool_to_judge() -> None:
    wrong = await called(preset(), {"limit": "many"})
    assert wrong["isError"] and "limit" in wrong["content"][0]["text"]
    failed = await called(preset(), {"customer": 13})
    assert failed["content"][0]["text"] == "Customer 13 is nobody."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"state": "open"}, "state: unknown argument"),
        ({"status": "lost"}, "status"),
        ({"status": 5}, "status"),
        ({"status": "open", "limit": "x"}, "limit"),
        ({"status": "open", "customer": {}}, "customer"),
    ],
)
def test_fixed_arguments_are_checked_at_entry(arguments: Json, said: str) -> None:
    assert said in refused({**OPEN, "arguments": arguments})


def test_a_fixed_argument_is_checked_alone_where_others_are_required() -> None:
    def both(a: int, b: int) -> int:
        return a + b

    assert "a" in refused({**OPEN, "arguments": {"a": "x"}}, replace_name(both))
    entry = preset({**OPEN, "arguments": {"a": 1}}, replace_name(both))
    assert entry.input_schema["required"] == ["b"]


def replace_name(function: Any) -> Tool:
    return Tool.of(function, name="count_orders")


async def test_a_schema_narrows_the_rest() -> None:
    narrowed = {
        "type": "object",
        "properties": {"limit": {"type": "integer", "maximum": 5}},
        "required": ["limit"],
        "additionalProperties": False,
    }
    entry = preset({**OPEN, "input_schema": narrowed})
    assert entry.to_json()["inputSchema"] == narrowed
    done = await called(entry, {"limit": 5})
    assert done["structuredContent"] == {"asked": "open None 5"}
    for arguments in ({"limit": 6}, {}, {"limit": 1, "customer": 7}):
        assert (await called(entry, arguments))["isError"], arguments


async def test_a_schema_cannot_widen_what_the_tool_takes() -> None:
    loose = {"type": "object", "properties": {"limit": {}}}
    entry = preset({**OPEN, "input_schema": loose})
    for arguments in ({"limit": "many"}, {"other": 1}, {"status": "sent"}):
        assert (await called(entry, arguments))["isError"], arguments


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "properties": {"status": {}}}, "status: it is fixed"),
        ({"type": "object", "properties": {"limits": {}}}, 'did you mean "limit"'),
        ({"type": "object", "required": ["status"]}, "status: it is fixed"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(schema: Json, said: str) -> None:
    assert said in refused({**OPEN, "input_schema": schema})


def test_a_schema_must_leave_what_the_tool_requires() -> None:
    spec = {"tool": "count_orders", "input_schema": {"type": "object"}}
    assert "status: the tool requires it" in refused(spec)


def test_a_schema_is_checked_as_that_of_a_tool() -> None:
    remote = {"type": "object", "properties": {"limit": {"$ref": "http://x/y"}}}
    spec = {**OPEN, "input_schema": remote}
    assert "leaves the schema" in complaints("preset", spec)["input_schema"][0]


def test_it_fixes_something_and_of_a_tool_that_there_is() -> None:
    assert "arguments" in complaints("preset", {"tool": "count_orders"})
    assert "tool" in complaints("preset", {**OPEN, "tool": "drop_tables"})
    assert "tool" in complaints("preset", {**OPEN, "tool": ""})


def test_it_goes_where_its_tool_goes() -> None:
    with pytest.raises(ValueError, match="switched off or gone"):
        made("preset", "count_open", OPEN)


def test_a_name_is_that_of_a_tool() -> None:
    with pytest.raises(ValueError, match="not a valid name"):
        made("preset", "count open", OPEN, BASE)


async def seen(entry: Tool, **rights: Any) -> list[str]:
    scopes = rights.pop("scopes", ["tools:call"])
    one = caller(*scopes, **rights)
    async with connect(served(entry), caller=one) as client:
        return [tool["name"] for tool in await client.list_tools()]


async def test_it_never_widens_rights() -> None:
    entry = preset()
    assert await seen(entry, **MAY) == ["count_open"]
    assert await seen(entry) == []
    opened = replace(entry, permission=None, scope="public")
    assert await seen(opened, scopes=["public", "tools:call"]) == []
    assert await seen(opened, scopes=["public"], **MAY) == []
    assert await seen(opened, scopes=["public", "tools:call"], **MAY) == ["count_open"]
    own = ["tools:call:count_open"]
    assert await seen(entry, scopes=own, **MAY) == []
    both = [*own, "tools:call:count_orders"]
    assert await seen(entry, scopes=both, **MAY) == ["count_open"]


async def test_a_token_that_names_its_tools_must_name_the_preset() -> None:
    entry = preset()
    assert await seen(entry, tools=frozenset({"count_open"}), **MAY) == ["count_open"]
    assert await seen(entry, tools=frozenset({"count_orders"}), **MAY) == []


async def test_who_lacks_the_scope_of_the_tool_is_told_that_one() -> None:
    one = caller("tools:call:count_open", **MAY)
    async with connect(served(preset()), caller=one) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.call_tool("count_open", {})
    assert "tools:call:count_orders" in str(caught.value)
    lacking = preset().lacking(one)
    assert lacking is not None
    assert str(InsufficientScope(lacking)) == str(caught.value)


class Counting:
    """Counts, and lets everybody through."""

    def __init__(self) -> None:
        self.spent: list[list[tuple[str, str]]] = []

    async def spend(self, *uses: Use) -> None:
        self.spent.append([(what, str(rate)) for what, _who, rate in uses])


async def test_its_calls_count_as_calls_of_the_tool() -> None:
    counting = Counting()
    base = replace(BASE, rate=Rate.parse("5/m"))
    entry = replace(preset(OPEN, base), rate=Rate.parse("2/m"))
    server = served(entry, quotas=Quotas(counting))
    async with connect(server, caller=caller("*", **MAY)) as client:
        await client.call_tool("count_open", {})
    both = [("tool:count_open", "2/m"), ("tool:count_orders", "5/m")]
    assert counting.spent == [both]


def test_what_the_tool_demands_of_all_arguments_is_left_to_the_tool() -> None:
    def raw(arguments: Json) -> str:
        return "done"

    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "anyOf": [{"required": ["a"]}],
        "$defs": {"n": {"type": "integer"}},
    }
    base = Tool.of(raw, name="count_orders", input_schema=schema)
    entry = preset({**OPEN, "arguments": {"a": 1}}, base)
    assert entry.input_schema == {
        "type": "object",
        "properties": {"b": {"type": "integer"}},
        "required": ["b"],
        "$defs": {"n": {"type": "integer"}},
    }
    assert "a" in refused({**OPEN, "arguments": {"a": "x"}}, base)


async def test_the_ledger_hides_what_is_hidden_of_the_tool() -> None:
    told: list[ServedRequest] = []

    class Telling(Observer):
        def request_served(self, request: ServedRequest) -> None:
            told.append(request)

    server = served(preset(), BASE, observers=[Telling()])
    rules = Redaction({"count_orders": ["customer"]}, 2048)
    async with connect(server, caller=caller("*", **MAY)) as client:
        await client.call_tool("count_open", {"customer": 7})
    async with connect(server, caller=caller("resources", **MAY)) as client:
        with pytest.raises(ProtocolError, match="scope"):
            await client.call_tool("count_open", {"customer": 7})
    rows = [recorded(one, rules) for one in told if one.method == "tools/call"]
    assert [row.fields()["arguments"] for row in rows] == [{"customer": HIDDEN}] * 2
