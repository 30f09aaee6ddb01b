"""Streamable HTTP: the recordings of requests without a session, and of sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.docs.messages import called, initialize, initialized, to_oslo
from tests.docs.recording import Recording
from tests.docs.shop import Shop
from tests.docs.visitor import BOTH, EVENTS, Json, Visitor, visiting

PATH = "/mcp"
META = "io.modelcontextprotocol/"
STATELESS = "2026-07-28"
STATEFUL = "2025-11-25"


# Without a session.


def complete(message: Json, capabilities: Json | None = None, **meta: Any) -> Json:
    """Return a request that says itself all there is to know."""
    said = {
        META + "protocolVersion": STATELESS,
        META + "clientCapabilities": capabilities or {},
        **meta,
    }
    return {**message, "params": {**message.get("params", {}), "_meta": said}}


def mirrored(message: Json) -> dict[str, str]:
    """Return the headers that repeat a request."""
    headers = {**BOTH, "MCP-Protocol-Version": STATELESS}
    headers["Mcp-Method"] = message["method"]
    if "name" in message["params"]:
        headers["Mcp-Name"] = message["params"]["name"]
    return headers


async def json_reply(recording: Recording, shop: Shop) -> None:
    message = complete(called(1, "count_orders", status="open"))
    async with visiting(shop.served, recording) as visitor:
        await visitor.say("POST", PATH, message, mirrored(message))


async def progress(recording: Recording, shop: Shop) -> None:
    message = complete(called(2, "recount"), progressToken="p")
    async with visiting(shop.served, recording) as visitor:
        await visitor.say("POST", PATH, message, mirrored(message))


async def input_required(recording: Recording, shop: Shop) -> None:
    form: Json = {"elicitation": {"form": {}}}
    async with visiting(shop.served, recording) as visitor:
        first = complete(called(3, "ship", pk=7), form)
        asked = await visitor.say("POST", PATH, first, mirrored(first))
        _, _, rest = asked.partition('"requestState":"')
        again = called(4, "ship", pk=7)
        again["params"] |= {
            "inputResponses": {
                "where": {"action": "accept", "content": {"city": "Oslo"}}
            },
            "requestState": rest.partition('"')[0],
        }
        again = complete(again, form)
        await visitor.say("POST", PATH, again, mirrored(again))


async def listen(recording: Recording, shop: Shop) -> None:
    message = complete(
        {
            "jsonrpc": "2.0",
            "id": 5,
            "method": "subscriptions/listen",
            "params": {"notifications": {"resourcesListChanged": True}},
        }
    )
    change = complete(called(6, "restock"))
    async with visiting(shop.served, recording) as visitor:
        async with visitor.open(
            "POST", PATH, message, mirrored(message), connection="1"
        ) as stream:
            await stream.event()
            await visitor.say("POST", PATH, change, mirrored(change), connection="2")
            await stream.event()
        recording.note("the client closes connection 1, and with it the subscription")


# With a session.


@dataclass
class Session:
    """A session that was begun before the recording."""

    visitor: Visitor
    headers: Mapping[str, str] = field(default_factory=dict)

    async def begin(self, **capabilities: Json) -> None:
        async with self.visitor.open(
            "POST", PATH, initialize(STATEFUL, **capabilities), BOTH
        ) as reply:
            await reply.rest()
        self.headers = BOTH | {
            "Mcp-Session-Id": reply.headers["mcp-session-id"],
            "MCP-Protocol-Version": STATEFUL,
        }
        await self.visitor.say("POST", PATH, initialized(), self.headers)


@asynccontextmanager
async def in_session(
    shop: Shop, recording: Recording, **capabilities: Json
) -> AsyncIterator[Session]:
    async with visiting(shop.served, Recording()) as visitor:
        session = Session(visitor)
        await session.begin(**capabilities)
    async with visiting(shop.served, recording) as visitor:
        yield Session(visitor, session.headers)


async def handshake(recording: Recording, shop: Shop) -> None:
    async with visiting(shop.served, recording) as visitor:
        await Session(visitor).begin(elicitation={})


async def session_progress(recording: Recording, shop: Shop) -> None:
    message = called(2, "recount", token="p")
    async with in_session(shop, recording) as session:
        await session.visitor.say("POST", PATH, message, session.headers)


async def elicitation(recording: Recording, shop: Shop) -> None:
    message = called(3, "ship", pk=7)
    async with in_session(shop, recording, elicitation={}) as session:
        visitor, headers = session.visitor, session.headers
        async with visitor.open(
            "POST", PATH, message, headers, connection="1"
        ) as stream:
            await stream.event()
            answer = to_oslo(await stream.event())
            await visitor.say("POST", PATH, answer, headers, connection="2")
            await stream.rest()


async def standing(recording: Recording, shop: Shop) -> None:
    async with in_session(shop, recording) as session:
        visitor, headers = session.visitor, session.headers
        asking = {**headers, "Accept": EVENTS}
        async with visitor.open("GET", PATH, None, asking, connection="1") as stream:
            await stream.event()
            change = called(4, "restock")
            await visitor.say("POST", PATH, change, headers, connection="2")
            await stream.event()


async def resume(recording: Recording, shop: Shop) -> None:
    message = called(5, "recount", token="p")
    async with in_session(shop, recording) as session:
        visitor, headers = session.visitor, session.headers
        async with visitor.open("POST", PATH, message, headers) as reply:
            await reply.event()
            await reply.event()
        recording.note("the connection breaks, and the client makes another one")
        back = {**headers, "Accept": EVENTS, "Last-Event-ID": reply.last_event_id}
        await visitor.say("GET", PATH, None, back)


async def goodbye(recording: Recording, shop: Shop) -> None:
    ping = {"jsonrpc": "2.0", "id": 6, "method": "ping"}
    async with in_session(shop, recording) as session:
        visitor, headers = session.visitor, session.headers
        await visitor.say("DELETE", PATH, None, headers)
        await visitor.say("POST", PATH, ping, headers)


async def stranger(recording: Recording, shop: Shop) -> None:
    async with visiting(shop.served, recording) as visitor:
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        await visitor.say("POST", PATH, ping, {**BOTH, "Authorization": "Bearer wrong"})
