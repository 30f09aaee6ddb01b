"""Requests with any header at all, each on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.servers import HOST

BOUND_S = 20
Header = tuple[str, str | bytes]


@dataclass(frozen=True)
class Head:
    """What comes before the body. The names of ``headers`` are in lower case."""

    status: int
    headers: dict[str, str]


async def ask(
    port: int, verb: str, path: str, headers: Sequence[Header], body: bytes = b""
) -> Head:
    """Send a request, read the head of the reply, and hang up."""
    lines = [f"{verb} {path} HTTP/1.1".encode()]
    for name, value in (*headers, ("Content-Length", str(len(body)))):
        text = value if isinstance(value, bytes) else value.encode("latin-1")
        lines.append(name.encode() + b": " + text)
    async with asyncio.timeout(BOUND_S):
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            writer.write(b"\r\n".join([*lines, b"", body]))
            head = await reader.readuntil(b"\r\n\r\n")
        finally:
            writer.transport.abort()
    first, *rest = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    named = (line.split(": ", 1) for line in rest)
    return Head(
        int(first.split(" ")[1]), {name.lower(): value for name, value in named}
    )
