"""Posts its standard input; prints the decoded body of the reply as it comes.

Arguments: the URL, and the headers as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp


async def main(url: str, headers: str) -> None:
    body = sys.stdin.buffer.read()
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, headers=json.loads(headers), data=body) as reply,
    ):
        async for piece in reply.content.iter_any():
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()


asyncio.run(main(*sys.argv[1:]))
