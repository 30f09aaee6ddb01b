"""WebSockets of those who may not have one, and by tickets of others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from deploy.servers import HOST
from tests.faults.verdict import require
from tests.interaction.wires.wire import STEP_S
from tests.security.project import Project
from tests.security.table import NOBODYS_SOCKET

PING = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
TICKETS = ("alice", "revoked", "expired")


def opening(
    port: int, address: str, *, token: str = "", ticket: str = "", host: str = HOST
) -> connect:
    """Return a connection to be entered, with one of the two credentials or none."""
    offered = ["mcp", f"ticket-{ticket}"] if ticket else ["mcp"]
    return connect(
        f"ws://{host}:{port}/ws",
        host=HOST,
        local_addr=(address, 0),
        subprotocols=[Subprotocol(name) for name in offered],
        additional_headers={"Authorization": f"Bearer {token}"} if token else {},
        open_timeout=STEP_S,
        proxy=None,
    )


async def closed_unheard(visitor: str, socket: connect) -> None:
    """Raises Failed unless a connection is closed, as nobody's is, before a word."""
    async with asyncio.timeout(STEP_S), socket as opened:
        try:
            said = await opened.recv()
        except ConnectionClosed as closed:
            code = closed.rcvd and closed.rcvd.code
            require(code == NOBODYS_SOCKET, f"{visitor} was closed with {code}")
        else:
            require(False, f"{visitor} heard {said!r}")


async def tickets(served: Project, address: str) -> int:
    """Bring tickets that are used, of tokens that are not valid, or made up, to the
    first process and to the last; return how many. Raises Failed if one is good.
    """
    issued = await _issued(served, address)
    first, last = served.members[0].port, served.members[-1].port
    async with (
        asyncio.timeout(STEP_S),
        opening(first, address, ticket=issued["alice"]) as socket,
    ):
        await socket.send(PING)
        require("result" in str(await socket.recv()), "a good ticket opened nothing")
    head, _, mac = issued["alice"].rpartition(".")
    forged = {"forged": f"{head}.{mac[::-1]}", "made up": "A" * 32}
    bad = list({**issued, **forged}.items())
    for kind, ticket in bad:
        for port in (first, last):
            who = f"a ticket, {kind}"
            await closed_unheard(who, opening(port, address, ticket=ticket))
    return 2 * len(bad)


async def _issued(served: Project, address: str) -> Mapping[str, str]:
    """Return a ticket for each of some tokens."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    found: dict[str, str] = {}
    async with httpx.AsyncClient(transport=transport, timeout=STEP_S) as http:
        for name in TICKETS:
            credential = {"Authorization": f"Bearer {served.tokens[name]}"}
            reply = await http.get(f"{served.origins[0]}/ticket", headers=credential)
            require(reply.status_code == 200, f"no ticket for {name}: {reply}")
            found[name] = reply.text
    return found
