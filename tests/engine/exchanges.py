"""A server without a door, and what it says to one message.

The server is the engine's own, over a shelf that the test fills; a message
goes in as it would come from a transport, and JSON comes out.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.calls import Call
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.exchange import Arrival, Binding, Exchange
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.engine.threads import Threads
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import Message, Notification, Request, loads
from mcp_transport.protocol.peer import (
    CAPABILITIES_KEY,
    LOG_LEVEL_KEY,
    VERSION_KEY,
    Peer,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, REVISIONS, STATEFUL, STATELESS
from mcp_transport.protocol.signing import Signer

Json = dict[str, Any]

BINDING = Binding("test", STATEFUL, STATELESS)
INFO = {"name": "shop", "version": "1"}
# How long anything may take that is to happen. Nothing waits this long.
PATIENCE_S = 20
THREADS = Threads(4)


def over(*revisions: Revision) -> pytest.MarkDecorator:
    """Run a test once for each of ``revisions``, by default for all of them."""
    chosen = revisions or tuple(REVISIONS.values())
    names = [revision.name for revision in chosen]
    return pytest.mark.parametrize("revision", chosen, ids=names)


every_revision = over()
every_stateful = over(*STATEFUL.values())
every_stateless = over(*STATELESS.values())


def serving(shelf: Shelf | None = None, **options: Any) -> Server:
    """Make a server of ``shelf``; the options are those of Server."""
    return Server(
        shelf or Shelf(),
        **{
            "info": INFO,
            "signer": Signer([b"a key of enough bytes"]),
            "run_sync": THREADS,
            **options,
        },
    )


def session_of(
    revision: Revision,
    caller: Caller = ANONYMOUS,
    *,
    capabilities: Json | None = None,
    log_level: str | None = None,
) -> Session:
    """Return a session whose client has shaken hands."""
    session = Session.new(caller)
    level = log_level or revision.default_log_level
    session.peer = Peer(revision, capabilities or {}, None, level)
    session.phase = Phase.READY
    return session


def opened(
    server: Server,
    method: str,
    params: Json | None = None,
    *,
    revision: Revision = LATEST,
    session: Session | None = None,
    caller: Caller = ANONYMOUS,
    capabilities: Json | None = None,
    log_level: str | None = None,
    id: str | int = 1,
    headers: dict[str, str] | None = None,
    binding: Binding = BINDING,
) -> Exchange:
    """Give the server one request, as a client of ``revision`` sends it."""
    params = dict(params or {})
    if session is not None:
        message = Request(id, method, params)
    elif revision.stateful:
        session = session_of(
            revision, caller, capabilities=capabilities, log_level=log_level
        )
        message = Request(id, method, params)
    else:
        meta = {VERSION_KEY: revision.name, CAPABILITIES_KEY: capabilities or {}}
        if log_level is not None:
            meta[LOG_LEVEL_KEY] = log_level
        params["_meta"] = {**meta, **params.get("_meta", {})}
        message = Request(id, method, params)
    return server.open(Arrival(message, binding, caller, headers, session))


def notified(
    server: Server, session: Session | None, method: str, **params: Any
) -> None:
    """Give the server one notification, which nothing may answer."""
    exchange = handed(server, Notification(method, params), session)
    assert exchange.done
    assert exchange.take() == []


def handed(server: Server, message: Message, session: Session | None) -> Exchange:
    return server.open(Arrival(message, BINDING, ANONYMOUS, None, session))


async def end_of(call: Call) -> None:
    """Wait until a call has ended, its clean-up included."""
    async with asyncio.timeout(PATIENCE_S):
        await call.ended()


async def said(exchange: Exchange) -> list[Json]:
    """Return all that the exchange says, to its end."""
    async with asyncio.timeout(PATIENCE_S):
        return [loads(message) async for message in exchange]


async def next_of(exchange: Exchange) -> Json:
    """Return the next message of an exchange that goes on."""
    async with asyncio.timeout(PATIENCE_S):
        message: Json = loads(await anext(exchange))
        return message


async def reply(server: Server, method: str, *args: Any, **options: Any) -> Json:
    """Return the only message that answers a request: its response."""
    (message,) = await said(opened(server, method, *args, **options))
    assert message["jsonrpc"] == "2.0"
    assert message["id"] == options.get("id", 1)
    return message


async def result(server: Server, method: str, *args: Any, **options: Any) -> Json:
    """Return the result of a request, without what every result has."""
    message = await reply(server, method, *args, **options)
    assert "error" not in message, message
    found: Json = message["result"]
    return bare(found)


def bare(result: Json) -> Json:
    """Return a result without the members that only say which server gave it."""
    meta = {
        key: value
        for key, value in result.get("_meta", {}).items()
        if not key.endswith("/serverInfo")
    }
    rest = {key: value for key, value in result.items() if key != "_meta"}
    if rest.get("resultType") == "complete":
        del rest["resultType"]
    return {**rest, "_meta": meta} if meta else rest


async def error(server: Server, method: str, *args: Any, **options: Any) -> Json:
    """Return the error that a request ends in."""
    message = await reply(server, method, *args, **options)
    assert "result" not in message, message
    found: Json = message["error"]
    return found


async def called(
    server: Server, name: str, arguments: Json | None = None, **options: Any
) -> Json:
    """Call a tool; return its result."""
    params = {"name": name, "arguments": arguments or {}}
    return await result(server, "tools/call", params, **options)


def text_of(result: Json) -> str:
    """Return the text of a result that holds one block of it."""
    (block,) = result["content"]
    assert block["type"] == "text"
    text: str = block["text"]
    return text


def failure_of(result: Json) -> str:
    """Return the words of a tool's own failure."""
    result = bare(result)
    assert result.keys() == {"content", "isError"}
    assert result["isError"] is True
    return text_of(result)
