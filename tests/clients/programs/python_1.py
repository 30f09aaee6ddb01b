"""Meets a server with any 1.x release of the Python SDK; prints what it saw.

Run by the Python of one of the environments. The argument is a URL, whose scheme
and path name the door, or an entry of mcpServers as JSON; the bearer token is in
the environment variable TOKEN.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import mcp.types as types
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl

CHANGE_TIMEOUT_S = 20


def wire(model: Any) -> Any:
    """Return a result as the server sent it, without the client's defaults."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Client:
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
        if isinstance(message, types.ServerNotification):
            method = message.root.method
            if method.endswith(("/updated", "/list_changed")):
                uri = getattr(message.root.params, "uri", None)
                self.changes.append([method, uri and str(uri)])
                self.changed.set()

    async def next_change(self) -> None:
        async with asyncio.timeout(CHANGE_TIMEOUT_S):
            await self.changed.wait()
        self.changed.clear()

    async def roots(self, context: Any) -> types.ListRootsResult:
        root = types.Root(uri="file:///home/ada", name="home")  # type: ignore[arg-type]
        return types.ListRootsResult(roots=[root])

    async def sample(self, context: Any, params: Any) -> types.CreateMessageResult:
        asked = params.messages[0].content.text
        return types.CreateMessageResult(
            role="assistant",
            content=types.TextContent(type="text", text=f"On {asked!r}: sip."),
            model="model-1",
        )

    async def elicit(self, context: Any, params: Any) -> Any:
        (field,) = params.requestedSchema["properties"]
        return types.ElicitResult(action="accept", content={field: "Ada"})


def supported(function: Any, **options: Any) -> dict[str, Any]:
    """Keep the options that this release of the SDK has."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in known}


async def error_of(call: Any) -> Any:
    try:
        await call
    except McpError as error:
        return error.error.model_dump(exclude_none=True)
    return None


async def calls(session: ClientSession, client: Client) -> dict[str, Any]:
    found = {
        name: wire(await session.call_tool(name, arguments))
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
    found["misuse"] = wire(await session.call_tool("quote", {"item": "beer"}))
    found["brew"] = wire(
        await session.call_tool(
            "brew",
            {"cups": 3},
            **supported(session.call_tool, progress_callback=client.progressed),
        )
    )
    return found


async def everything(session: ClientSession, client: Client) -> dict[str, Any]:
    server = await session.initialize()
    await session.set_logging_level("info")
    stock = AnyUrl("shop://stock")
    seen: dict[str, Any] = {
        "revision": server.protocolVersion,
        "server": wire(server.serverInfo),
        "instructions": server.instructions,
        "tools": wire(await session.list_tools())["tools"],
        "resources": wire(await session.list_resources())["resources"],
        "templates": wire(await session.list_resource_templates())["resourceTemplates"],
        "prompts": wire(await session.list_prompts())["prompts"],
        "calls": await calls(session, client),
        "stock": wire(await session.read_resource(stock)),
        "logo": wire(await session.read_resource(AnyUrl("shop://logo"))),
        "item": wire(await session.read_resource(AnyUrl("shop://items/tea"))),
        "letter": wire(await session.get_prompt("letter", {"customer": "Ada"})),
        "completion": wire(
            await session.complete(
                types.PromptReference(type="ref/prompt", name="letter"),
                {"name": "tone", "value": "f"},
            )
        ),
        "unknown tool": await error_of(session.call_tool("nothing", {})),
        "unknown resource": await error_of(
            session.read_resource(AnyUrl("shop://nothing"))
        ),
    }
    await session.subscribe_resource(stock)
    await session.call_tool("restock", {})
    await client.next_change()
    await session.unsubscribe_resource(stock)
    for _ in range(2):
        await session.call_tool("toggle_counter", {})
        await client.next_change()
    seen |= {
        "log": client.log,
        "progress": client.progress,
        "changes": client.changes,
    }
    return seen


def transport(address: str) -> AbstractAsyncContextManager[Any]:
    if address.startswith("{"):
        return stdio_client(StdioServerParameters(**json.loads(address)))
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    if address.startswith("ws:"):
        return websocket(address, headers)
    if address.endswith("/sse"):
        return sse_client(address, headers)
    return streamablehttp_client(address, headers=headers)


def websocket(url: str, headers: dict[str, str]) -> AbstractAsyncContextManager[Any]:
    """Open a WebSocket with headers, to which the SDK leaves no way of its own."""
    # Only one environment has the library that this needs.
    from mcp.client import websocket as door

    door.ws_connect = partial(door.ws_connect, additional_headers=headers)
    return door.websocket_client(url)


async def main(address: str) -> None:
    client = Client()
    callbacks = supported(
        ClientSession,
        logging_callback=client.logged,
        message_handler=client.heard,
        list_roots_callback=client.roots,
        sampling_callback=client.sample,
        elicitation_callback=client.elicit,
    )
    async with (
        transport(address) as (read, write, *_),
        ClientSession(read, write, **callbacks) as session,
    ):
        seen = await everything(session, client)
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
