"""Meets a server with the FastMCP client; prints what it saw.

Arguments: the URL, and "legacy" (the handshake of old) or "auto". The bearer
token is in the environment variable TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from typing import Any

import mcp_types as types
from fastmcp import Client
from fastmcp.exceptions import McpError


def wire(model: Any) -> Any:
    """Return a result as the server sent it, without the client's defaults."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Handlers:
    """The client's side of everything that a server may send on its own."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.progress: list[Any] = []

    async def logged(self, message: types.LoggingMessageNotificationParams) -> None:
        self.log.append(wire(message))

    async def progressed(
        self, value: float, total: float | None, message: str | None
    ) -> None:
        self.progress.append([value, total, message])

    async def sample(self, messages: Any, params: Any, context: Any) -> str:
        return f"On {messages[0].content.text!r}: sip."

    async def elicit(
        self, message: str, response_type: Any, params: Any, context: Any
    ) -> dict[str, str]:
        (field,) = params.requested_schema["properties"]
        return {field: "Ada"}


async def error_of(call: Any) -> Any:
    try:
        await call
    except McpError as error:
        return error.error.model_dump(exclude_none=True)
    return None


async def calls(client: Client[Any], meta: dict[str, str] | None) -> dict[str, Any]:
    return {
        name: wire(await client.call_tool_mcp(tool, arguments, meta=meta))
        for name, tool, arguments in [
            ("quote", "quote", {"item": "cake", "count": 3}),
            ("misuse", "quote", {"item": "beer"}),
            ("refuse", "refuse", {}),
            ("menu", "menu", {}),
            ("whoami", "whoami", {}),
            ("order", "order", {}),
            ("slogan", "slogan", {"subject": "tea"}),
            ("folders", "folders", {}),
            ("brew", "brew", {"cups": 3}),
        ]
    }


async def everything(client: Client[Any], mode: str) -> dict[str, Any]:
    wanted = {types.LOG_LEVEL_META_KEY: "info"}
    if mode == "legacy":
        await client.set_logging_level("info")
    return {
        "revision": client.protocol_version,
        "server": client.server_info and wire(client.server_info),
        "instructions": client.instructions,
        "tools": wire(await client.list_tools_mcp())["tools"],
        "resources": wire(await client.list_resources_mcp())["resources"],
        "templates": wire(await client.list_resource_templates_mcp())[
            "resourceTemplates"
        ],
        "prompts": wire(await client.list_prompts_mcp())["prompts"],
        "calls": await calls(client, None if mode == "legacy" else wanted),
        "stock": wire(await client.read_resource_mcp("shop://stock")),
        "logo": wire(await client.read_resource_mcp("shop://logo")),
        "item": wire(await client.read_resource_mcp("shop://items/tea")),
        "letter": wire(await client.get_prompt_mcp("letter", {"customer": "Ada"})),
        "completion": wire(
            await client.complete_mcp(
                types.PromptReference(type="ref/prompt", name="letter"),
                {"name": "tone", "value": "f"},
            )
        ),
        "unknown tool": await error_of(client.call_tool_mcp("nothing", {})),
        "unknown resource": await error_of(client.read_resource_mcp("shop://nothing")),
    }


async def main(url: str, mode: str) -> None:
    handlers = Handlers()
    async with Client(
        url,
        auth=os.environ["TOKEN"],
        mode=mode,
        roots=["file:///home/ada"],
        log_handler=handlers.logged,
        progress_handler=handlers.progressed,
        sampling_handler=handlers.sample,
        elicitation_handler=handlers.elicit,
    ) as client:
        seen = await everything(client, mode)
    print(json.dumps({**seen, "log": handlers.log, "progress": handlers.progress}))


warnings.simplefilter("ignore")  # the SDK warns of all that its newest revision lacks
asyncio.run(main(*sys.argv[1:]))
