"""Meets a server with release 2 of the Python SDK; prints what it saw.

Arguments: a URL, whose path names the door, or an entry of mcpServers as JSON;
and "legacy" (the handshake of old) or "auto". The bearer token is in the
environment variable TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

CHANGE_TIMEOUT_S = 20
STOCK = "shop://stock"


def wire(model: Any) -> Any:
    """Return a result as the server sent it, without the client's defaults."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Handlers:
    """The client's side of everything that a server may send on its own."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.progress: list[Any] = []
        self.changes: list[Any] = []
        self.changed = asyncio.Event()

    async def logged(self, params: types.LoggingMessageNotificationParams) -> None:
        self.log.append(wire(params))

    async def progressed(
        self, value: float, total: float | None, message: str | None
    ) -> None:
        self.progress.append([value, total, message])

    async def heard(self, message: Any) -> None:
        method = getattr(message, "method", "")
        if method.endswith(("/updated", "/list_changed")):
            self.changes.append([method, getattr(message.params, "uri", None)])
            self.changed.set()

    async def next_change(self) -> None:
        async with asyncio.timeout(CHANGE_TIMEOUT_S):
            await self.changed.wait()
        self.changed.clear()

    async def roots(self, context: Any) -> types.ListRootsResult:
        return types.ListRootsResult(
            roots=[types.Root(uri="file:///home/ada", name="home")]
        )

    async def sample(self, context: Any, params: Any) -> types.CreateMessageResult:
        asked = params.messages[0].content.text
        return types.CreateMessageResult(
            role="assistant",
            content=types.TextContent(type="text", text=f"On {asked!r}: sip."),
            model="model-1",
        )

    async def elicit(self, context: Any, params: Any) -> types.ElicitResult:
        (field,) = params.requested_schema["properties"]
        return types.ElicitResult(action="accept", content={field: "Ada"})


async def error_of(call: Any) -> Any:
    try:
        await call
    except MCPError as error:
        return error.error.model_dump(exclude_none=True)
    return None


async def calls(client: Client, handlers: Handlers) -> dict[str, Any]:
    found = {
        name: wire(await client.call_tool(name, arguments))
        for name, arguments in [
            ("quote", {"item": "cake", "count": 3}),
            ("refuse", {}),
            ("menu", {}),
            ("whoami", {}),
            ("order", {}),
            ("slogan", {"subject": "tea"}),
            ("folders", {}),
        ]
    }
    found["misuse"] = wire(await client.call_tool("quote", {"item": "beer"}))
    brewed = await client.call_tool(
        "brew", {"cups": 3}, progress_callback=handlers.progressed
    )
    return {**found, "brew": wire(brewed)}


def has_sessions(client: Client) -> bool:
    return client.protocol_version < "2026"


async def everything(client: Client, handlers: Handlers) -> dict[str, Any]:
    if has_sessions(client):
        await client.set_logging_level("info")
    templates = await client.list_resource_templates()
    return {
        "revision": client.protocol_version,
        "server": client.server_info and wire(client.server_info),
        "instructions": client.instructions,
        "tools": wire(await client.list_tools())["tools"],
        "resources": wire(await client.list_resources())["resources"],
        "templates": wire(templates)["resourceTemplates"],
        "prompts": wire(await client.list_prompts())["prompts"],
        "calls": await calls(client, handlers),
        "stock": wire(await client.read_resource(STOCK)),
        "logo": wire(await client.read_resource("shop://logo")),
        "item": wire(await client.read_resource("shop://items/tea")),
        "letter": wire(await client.get_prompt("letter", {"customer": "Ada"})),
        "completion": wire(
            await client.complete(
                types.PromptReference(type="ref/prompt", name="letter"),
                {"name": "tone", "value": "f"},
            )
        ),
        "unknown tool": await error_of(client.call_tool("nothing", {})),
        "unknown resource": await error_of(client.read_resource("shop://nothing")),
    }


async def changes_by_session(client: Client, handlers: Handlers) -> None:
    await client.subscribe_resource(STOCK)
    await client.call_tool("restock", {})
    await handlers.next_change()
    await client.unsubscribe_resource(STOCK)
    for _ in range(2):
        await client.call_tool("toggle_counter", {})
        await handlers.next_change()


async def changes_by_subscription(client: Client, handlers: Handlers) -> None:
    async with (
        asyncio.timeout(CHANGE_TIMEOUT_S),
        client.listen(
            tools_list_changed=True, resource_subscriptions=[STOCK]
        ) as subscription,
    ):
        for tool in ("restock", "toggle_counter", "toggle_counter"):
            await client.call_tool(tool, {})
            await anext(subscription)


@asynccontextmanager
async def transport(address: str) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    if address.startswith("{"):
        yield stdio_client(StdioServerParameters(**json.loads(address)))
    elif address.endswith("/sse"):
        yield sse_client(address, headers)
    else:
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            yield streamable_http_client(address, http_client=http)


async def main(address: str, mode: str) -> None:
    handlers = Handlers()
    async with (
        transport(address) as streams,
        Client(
            streams,
            mode=mode,
            log_level="info",
            logging_callback=handlers.logged,
            message_handler=handlers.heard,
            list_roots_callback=handlers.roots,
            sampling_callback=handlers.sample,
            elicitation_callback=handlers.elicit,
        ) as client,
    ):
        seen = await everything(client, handlers)
        if has_sessions(client):
            await changes_by_session(client, handlers)
        else:
            await changes_by_subscription(client, handlers)
    seen |= {
        "log": handlers.log,
        "progress": handlers.progress,
        "changes": handlers.changes,
    }
    print(json.dumps(seen))


warnings.simplefilter("ignore")  # the SDK warns of all that its newest revision lacks
asyncio.run(main(*sys.argv[1:]))
