"""Starts a server as its configuration says, with release 1 of the Python SDK.

The argument is one entry of mcpServers as JSON: command, args, env. Prints the
names of the tools and the text that the tool ``whoami`` answers, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main(entry: str) -> None:
    async with (
        stdio_client(StdioServerParameters(**json.loads(entry))) as (read, write),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        result = await session.call_tool("whoami", {})
        print(json.dumps({"tools": tools, "whoami": result.content[0].text}))


asyncio.run(main(sys.argv[1]))
