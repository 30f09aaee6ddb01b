"""An official client that stays connected: the Python SDK, told what to do line by
line, each a JSON object; its answers, and what it hears of changes, go out as such.

Run by the Python of an environment. The argument is the URL of the endpoint; the
bearer token is in the environment variable TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import mcp.types as types
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl


def say(what: str, value: Any) -> None:
    print(json.dumps({what: value}), flush=True)


def wire(model: Any) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


async def heard(message: Any) -> None:
    if isinstance(message, types.ServerNotification):
        say("heard", message.root.method)


async def done(session: ClientSession, order: dict[str, Any]) -> Any:
    match order["do"]:
        case "tools":
            return [tool.name for tool in (await session.list_tools()).tools]
        case "resources":
            listed = await session.list_resources()
            return [str(resource.uri) for resource in listed.resources]
        case "prompts":
            return [prompt.name for prompt in (await session.list_prompts()).prompts]
        case "call":
            return wire(await session.call_tool(order["name"], order["arguments"]))
        case "read":
            return wire(await session.read_resource(AnyUrl(order["uri"])))
        case "get":
            return wire(await session.get_prompt(order["name"], order["arguments"]))


async def attend(session: ClientSession) -> None:
    await session.initialize()
    say("ready", True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            say("done", await done(session, json.loads(line)))
        except McpError as error:
            say("refused", error.error.message)


async def main(url: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    async with (
        streamablehttp_client(url, headers=headers) as (read, write, _),
        ClientSession(read, write, message_handler=heard) as session,
    ):
        await attend(session)


asyncio.run(main(sys.argv[1]))
