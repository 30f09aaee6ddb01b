"""tools/list, tools/call. Spec: 2026-07-28 server/tools."""

from __future__ import annotations

from functools import partial
from typing import Any

from mcp_transport.engine import rounds
from mcp_transport.engine.entry import Entry
from mcp_transport.engine.errors import ToolError
from mcp_transport.engine.exchange import Exchange, Methods
from mcp_transport.engine.methods.paging import page
from mcp_transport.engine.tool import Tool, error_result
from mcp_transport.protocol.errors import ProtocolError, invalid_params
from mcp_transport.protocol.http import check_param_headers
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.schema import wrap_output_schema


async def list_tools(exchange: Exchange) -> bytes:
    return await page(exchange, "tools", "tools", _listed)


def _listed(entry: Entry, revision: Revision) -> dict[str, Any]:
    """Where structured content must be an object, say what holds the value."""
    listed = entry.to_json()
    if isinstance(entry, Tool) and _wraps(entry, revision):
        listed["outputSchema"] = wrap_output_schema(listed["outputSchema"])
    return listed


def _wraps(tool: Tool, revision: Revision) -> bool:
    return (
        revision.object_output_only
        and tool.output is not None
        and not tool.output.is_object
    )


async def call_tool(exchange: Exchange) -> dict[str, Any]:
    """Raises ProtocolError: -32602 for an unknown tool, -32020 for headers that
    differ from the arguments, 429 beyond its rate. All else is told in-band.
    """
    tool, arguments = await _find(exchange)
    counted = ((f"tool:{name}", rate) for name, rate in tool.counted)
    await exchange.server.quotas.spend_on(exchange.caller, counted)
    _set_deadline(exchange, tool)
    attempt = partial(tool.run, arguments=arguments)
    try:
        result = await rounds.run(exchange, attempt)
    except ToolError as error:
        result = error_result(str(error))
    except ProtocolError:
        raise
    except Exception as error:
        result = error_result(_explained(exchange, tool, error))
    if "structuredContent" in result and _wraps(tool, exchange.peer.revision):
        result["structuredContent"] = {"result": result["structuredContent"]}
    return exchange.server.encode(exchange, result)


async def _find(exchange: Exchange) -> tuple[Tool, dict[str, Any]]:
    name = exchange.params.get("name")
    arguments = exchange.params.get("arguments", {})
    if type(name) is not str:
        raise invalid_params("tools/call needs name, a string")
    if type(arguments) is not dict:
        raise invalid_params("arguments must be an object")
    tool = await exchange.server.catalogue.find("tools", name, exchange.caller)
    if tool is None:
        raise invalid_params(f"Unknown tool: {name[:128]}")
    exchange.known_as = tool.known_as
    headers = exchange.arrival.headers
    if tool.headers and headers is not None and exchange.peer.revision.mirrors_headers:
        check_param_headers(tool.headers, arguments, headers)
    return tool, arguments


def _set_deadline(exchange: Exchange, tool: Tool) -> None:
    timeout_s = tool.timeout_s or exchange.server.limits.call_timeout_s

    def late() -> None:
        text = f"The tool did not finish within {timeout_s:g} s and was stopped."
        exchange.timed_out = True
        exchange.respond(exchange.server.encode(exchange, error_result(text)))

    exchange.call.deadline(timeout_s, late)


def _explained(exchange: Exchange, tool: Tool, error: Exception) -> str:
    """Say a failure without a word of an exception that nobody vouched for."""
    explained = exchange.server.explain(error)
    if explained is not None:
        return explained
    reference = exchange.server.report(f"tool {tool.name}")
    return f"The tool failed (reference {reference})."


METHODS: Methods = {"tools/list": list_tools, "tools/call": call_tool}
