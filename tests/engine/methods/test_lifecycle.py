from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.exchange import Binding
from mcp_transport.engine.session import Session
from mcp_transport.protocol.errors import INVALID_PARAMS
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST_STATEFUL, STATEFUL, STATELESS
from tests.engine.exchanges import (
    Json,
    error,
    every_stateful,
    every_stateless,
    reply,
    result,
    serving,
)

INFO = {
    "name": "shop",
    "version": "2",
    "title": "Shop",
    "description": "A shop.",
    "websiteUrl": "https://shop.example",
    "icons": [{"src": "https://x/i.png", "sizes": ["any"], "theme": "dark"}],
}


def hello(revision: Revision | str, **more: Any) -> Json:
    name = revision if isinstance(revision, str) else revision.name
    return {"protocolVersion": name, "capabilities": {}, **more}


async def shaken(server: Any, params: Json, **options: Any) -> Json:
    session = Session.new(ANONYMOUS)
    return await result(server, "initialize", params, session=session, **options)


@every_stateful
async def test_a_handshake_offers_what_the_revision_has(revision: Revision) -> None:
    found = await shaken(serving(info=INFO), hello(revision))
    capabilities: Json = {
        "tools": {"listChanged": True},
        "resources": {"listChanged": True, "subscribe": True},
        "prompts": {"listChanged": True},
        "logging": {},
    }
    if "completions" in revision.fields["ServerCapabilities"]:
        capabilities["completions"] = {}
    known = revision.fields["Implementation"]
    assert found == {
        "protocolVersion": revision.name,
        "capabilities": capabilities,
        "serverInfo": {k: v for k, v in INFO.items() if k in known},
    }


@pytest.mark.parametrize("asked", ["1999-01-01", "", "draft", *STATELESS])
async def test_an_unknown_revision_is_answered_with_the_latest(asked: str) -> None:
    found = await shaken(serving(), hello(asked))
    assert found["protocolVersion"] == LATEST_STATEFUL.name


async def test_instructions_are_given_where_there_are_some() -> None:
    assert "instructions" not in await shaken(serving(), hello(LATEST_STATEFUL))
    server = serving(instructions="Buy tea.")
    found = await shaken(server, hello(LATEST_STATEFUL))
    assert found["instructions"] == "Buy tea."
    discovered = await result(server, "server/discover")
    assert discovered["instructions"] == "Buy tea."


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"protocolVersion": 5},
        hello(LATEST_STATEFUL, capabilities=[]),
        hello(LATEST_STATEFUL, clientInfo="me"),
    ],
)
async def test_a_malformed_handshake_is_refused(params: Json) -> None:
    session = Session.new(ANONYMOUS)
    found = await error(serving(), "initialize", params, session=session)
    assert found["code"] == INVALID_PARAMS
    assert session.peer is None


@every_stateful
async def test_a_ping_is_answered_with_nothing(revision: Revision) -> None:
    assert await result(serving(), "ping", revision=revision) == {}


@every_stateless
async def test_discovery_says_what_there_is(revision: Revision) -> None:
    server = serving(info=INFO, list_ttl_ms=9000)
    message = await reply(server, "server/discover", revision=revision)
    assert message["result"] == {
        "resultType": "complete",
        "supportedVersions": list(STATELESS),
        "capabilities": {
            "tools": {"listChanged": True},
            "resources": {"listChanged": True, "subscribe": True},
            "prompts": {"listChanged": True},
            "completions": {},
            "logging": {},
        },
        "ttlMs": 9000,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": INFO},
    }


async def test_a_door_that_cannot_stream_offers_nothing_that_needs_it() -> None:
    binding = Binding("narrow", STATEFUL, STATELESS, streaming=False)
    offered: Json = {
        "tools": {},
        "resources": {},
        "prompts": {},
        "completions": {},
        "logging": {},
    }
    found = await result(serving(), "server/discover", binding=binding)
    assert found["capabilities"] == offered
    found = await shaken(serving(), hello(LATEST_STATEFUL), binding=binding)
    assert found["capabilities"] == offered
