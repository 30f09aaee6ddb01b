"""What the endpoint does before its process ends, as a WebSocket sees it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import pytest
from django.core.asgi import get_asgi_application
from django.test import override_settings

from mcp_transport.asgi import mount
from mcp_transport.draining import drain, settle
from mcp_transport.transports.websocket import Reason
from tests.websocket.catalogue import gates
from tests.websocket.peer import ACCEPTED, BOUND_S, Peer, call

MCP = {
    "CATALOGUE": "tests.websocket.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
}


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    with override_settings(MCP=MCP, ALLOWED_HOSTS=["localhost"]):
        yield


@pytest.fixture
def gate() -> str:
    return secrets.token_hex(8)


async def opened() -> Peer:
    peer = Peer(mount(get_asgi_application()))
    assert await peer.opens() == ACCEPTED
    return peer


async def holding(tool: str, gate: str) -> Peer:
    """Return a client whose call has begun."""
    peer = await opened()
    peer.sends(call("entered", 1, gate=gate))
    peer.sends(call(tool, 2, gate=gate))
    assert (await peer.hears())["id"] == 1
    return peer


async def test_who_only_waits_is_sent_away_at_once() -> None:
    peer = await opened()
    peer.sends(call("echo", text="here"))
    assert (await peer.hears())["id"] == 1
    async with asyncio.timeout(BOUND_S):
        assert await drain(BOUND_S) == 0
    assert await peer.closed() == Reason.GOING_AWAY


async def test_a_call_is_answered_and_no_other_begins(gate: str) -> None:
    peer = await opened()
    peer.sends(call("hold_thread", 1, gate=gate))
    draining = asyncio.create_task(drain(BOUND_S))
    await asyncio.sleep(0.1)
    peer.sends(call("echo", 2, text="too late"))
    await asyncio.sleep(0.1)
    assert not draining.done()
    gates[gate].opened.set()
    answer = await peer.hears()
    assert (answer["id"], answer["result"]["structuredContent"]) == (
        1,
        True,
    )
    assert await peer.closed() == Reason.GOING_AWAY
    assert await draining == 0


async def test_a_call_that_does_not_end_is_told_so(gate: str) -> None:
    peer = await holding("hold", gate)
    async with asyncio.timeout(BOUND_S):
        assert await drain(0.2) == 1
    answer = await peer.hears()
    assert answer["id"] == 2
    assert "result" not in answer or answer["result"]["isError"]
    assert await peer.closed() == Reason.GOING_AWAY
    assert gates[gate].fate == "cancelled"
    await settle(BOUND_S)
