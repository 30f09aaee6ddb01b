from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from mcp_transport.engine.context import Context
from mcp_transport.engine.errors import ToolError
from mcp_transport.engine.rates import Rate
from mcp_transport.engine.tool import Tool, ToolResult, error_result
from mcp_transport.protocol.content import Image, Text
from mcp_transport.protocol.schema import HeaderParam
from mcp_transport.protocol.wording import OutputError
from tests.engine.exchanges import opened, serving


class Order(BaseModel):
    id: int
    placed: datetime.date | None = None


def count(
    ctx: Context,
    status: Literal["open", "sent"] | None = None,
    limit: int = 10,
) -> int:
    """Count the orders.

    Args:
        status: only orders in this state.
    """
    return limit


async def run(tool: Tool, **arguments: Any) -> dict[str, Any]:
    return await tool.run(Context(opened(serving(), "tools/list"), {}), arguments)


def returning(annotation: Any, value: Any, **options: Any) -> Tool:
    def function() -> Any:
        return value

    function.__annotations__["return"] = annotation
    return Tool.of(function, **options)


def test_it_is_listed_with_its_signature_as_its_schema() -> None:
    tool = Tool.of(
        count,
        title="Count",
        read_only=True,
        destructive=False,
        tags=["orders"],
        icons=[{"src": "https://x/i.png"}],
        meta={"shop/x": 1},
    )
    assert tool.to_json() == {
        "name": "count",
        "title": "Count",
        "description": "Count the orders.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "status": {
                    "type": ["string", "null"],
                    "enum": ["open", "sent", None],
                    "description": "only orders in this state.",
                },
                "limit": {"type": "integer", "default": 10},
            },
            "additionalProperties": False,
        },
        "outputSchema": {"type": "integer"},
        "annotations": {"readOnlyHint": True, "destructiveHint": False},
        "icons": [{"src": "https://x/i.png"}],
        "_meta": {"tags": ["orders"], "shop/x": 1},
    }


def test_each_hint_has_its_name_in_the_protocol() -> None:
    tool = Tool.of(count, read_only=False, idempotent=True, open_world=False)
    assert tool.annotations == {
        "readOnlyHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    assert "annotations" not in Tool.of(count).to_json()


def test_its_scope_is_its_own_unless_given() -> None:
    assert Tool.of(count).scope == "tools:call:count"
    assert Tool.of(count, name="n").scope == "tools:call:n"
    assert Tool.of(count, scope="shop:read").scope == "shop:read"


# What it takes.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"limit": "many"}, "limit: should be a valid integer"),
        ({"limit": True}, "limit: should be a number, got true"),
        ({"status": "lost"}, "status: should be 'open' or 'sent', got \"lost\""),
        ({"limti": 3}, 'limti: unknown argument; did you mean "limit"?'),
        ({"ctx": 3}, "ctx: unknown argument; known: status, limit"),
    ],
)
async def test_arguments_that_do_not_fit_are_told_to_the_model(
    arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ToolError) as caught:
        await run(Tool.of(count), **arguments)
    assert words in str(caught.value)


async def test_arguments_become_what_the_function_takes() -> None:
    def tool(day: datetime.date, at: Annotated[int, Field(ge=1)]) -> str:
        return f"{day!r} {at!r}"

    result = await run(Tool.of(tool), day="2020-02-29", at="3")
    assert result == {
        "content": [{"type": "text", "text": "datetime.date(2020, 2, 29) 3"}]
    }


async def test_with_a_schema_of_its_own_it_takes_one_dictionary() -> None:
    schema = {
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "n": {"type": "integer", "maximum": 5},
        },
        "required": ["n"],
        "$defs": {"kept": {"type": "null"}},
    }

    async def tool(ctx: Context, arguments: dict[str, Any]) -> str:
        return f"{ctx.caller.subject} {arguments}"

    made = Tool.of(tool, input_schema=schema)
    assert made.to_json()["inputSchema"] == schema
    assert made.headers == (HeaderParam("mcp-param-region", ("region",), "string"),)
    result = await run(made, n=3)
    assert result["content"] == [{"type": "text", "text": "anonymous {'n': 3}"}]
    for arguments, words in [({}, "n: missing"), ({"n": 9}, "n: ")]:
        with pytest.raises(ToolError, match=words):
            await run(made, **arguments)


def test_what_cannot_be_a_tool_is_the_developers_fault() -> None:
    def two(a: dict[str, Any], b: int) -> None:
        pass

    schema = {"type": "object"}
    with pytest.raises(TypeError, match="takes one dict of arguments"):
        Tool.of(two, input_schema=schema)
    with pytest.raises(ValueError, match='"type": "object"'):
        Tool.of(count, input_schema={"type": "array"})
    with pytest.raises(ValueError, match="is not a valid name"):
        Tool.of(count, name="count all")
    with pytest.raises(TypeError, match="colour"):
        Tool.of(count, colour="red")
    for timeout_s in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="count: timeout_s must be over 0"):
            Tool.of(count, timeout_s=timeout_s)


# What it gives.


@pytest.mark.parametrize(
    ("annotation", "value", "content", "structured"),
    [
        (Order, Order(id=1), '{"id":1,"placed":null}', {"id": 1, "placed": None}),
        (Order, {"id": 2}, '{"id":2,"placed":null}', {"id": 2, "placed": None}),
        (int, 3, "3", 3),
        (bool, False, "false", False),
        (list[int], [1, 2], "[1,2]", [1, 2]),
        (int | None, None, "null", None),
        (Literal["a", "b"], "a", "a", "a"),
        (dict[str, float], {"x": 1.5}, '{"x":1.5}', {"x": 1.5}),
    ],
)
async def test_a_value_is_structured_and_said_as_text(
    annotation: Any, value: Any, content: str, structured: Any
) -> None:
    assert await run(returning(annotation, value)) == {
        "content": [{"type": "text", "text": content}],
        "structuredContent": structured,
    }


@pytest.mark.parametrize("annotation", [Any, str, None, Image, list[Text | Image]])
async def test_what_is_shown_is_not_structured(annotation: Any) -> None:
    tool = returning(annotation, "shown")
    assert tool.output is None
    assert "outputSchema" not in tool.to_json()
    assert await run(tool) == {"content": [{"type": "text", "text": "shown"}]}


async def test_content_may_be_of_many_blocks_or_of_none() -> None:
    result = await run(returning(list[Text | Image], [Text("a"), Image(b"x", "i/p")]))
    assert result == {
        "content": [
            {"type": "text", "text": "a"},
            {"type": "image", "data": "eA==", "mimeType": "i/p"},
        ]
    }
    assert await run(returning(None, None)) == {"content": []}


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int, "secret"), (Order, {"id": "secret"}), (Order, None), (float, float("nan"))],
)
async def test_a_value_that_was_not_promised_never_goes_out(
    annotation: Any, value: Any
) -> None:
    with pytest.raises(OutputError) as caught:
        await run(returning(annotation, value))
    assert "secret" not in str(caught.value)


async def test_content_and_structure_can_be_said_apart() -> None:
    value = ToolResult("One order.", Order(id=1), meta={"shop/x": 1})
    tool = returning(ToolResult[Order], value)
    assert tool.to_json()["outputSchema"]["properties"].keys() == {"id", "placed"}
    assert await run(tool) == {
        "content": [{"type": "text", "text": "One order."}],
        "structuredContent": {"id": 1, "placed": None},
        "_meta": {"shop/x": 1},
    }


async def test_a_result_without_a_type_has_no_structure() -> None:
    tool = returning(ToolResult, ToolResult([Text("a"), "b"]))
    assert tool.output is None
    assert await run(tool) == {
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    }
    for annotation in (ToolResult, Any):
        with pytest.raises(TypeError, match=r"the annotation -> ToolResult\["):
            await run(returning(annotation, ToolResult("a", {"b": 1})))


def test_a_failure_is_a_result_in_words() -> None:
    assert error_result("Out of tea.") == {
        "content": [{"type": "text", "text": "Out of tea."}],
        "isError": True,
    }


def test_a_call_counts_as_one_of_the_tool_where_it_has_a_rate() -> None:
    assert Tool.of(count).counted == ()
    assert Tool.of(count, rate="60/m").counted == (("count", Rate(60, 60)),)
