"""Calls one tool with release 2 of the Python SDK; prints the text it answers.

Arguments: the URL and the tool's name. The tool's arguments are JSON in the
environment variable ARGUMENTS, the bearer token is in TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, tool: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        listed = {tool.name for tool in (await client.list_tools()).tools}
        if tool not in listed:
            sys.exit(f"{tool} is not among the tools: {sorted(listed)}")
        result = await client.call_tool(tool, json.loads(os.environ["ARGUMENTS"]))
        if result.is_error:
            sys.exit(f"{tool} failed: {result.content}")
        print(result.content[0].text)


asyncio.run(main(*sys.argv[1:]))
