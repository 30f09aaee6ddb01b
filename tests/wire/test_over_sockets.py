"""The same over real sockets: stock daphne, httpx, and middleware in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.serving import Served, daphne
from tests.wire.client import ALL, LEGACY, MODERN, Client
from tests.wire.test_changes import listening
from tests.wire.test_resume import counted, numbers, read
from tests.wire.test_schema_every_revision import (
    CHANGES,
    ask_for_everything,
    change_all,
    make_every_mistake,
)
from tests.wire.test_streams import HOSTILE, calling


@pytest.fixture(scope="module", params=["lean", "urls"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("sockets") / "daphne.log"
    environ = {"DJANGO_SETTINGS_MODULE": "tests.wire.settings"}
    application = f"tests.wire.asgi:{request.param}"
    with daphne(application, log, environ=environ) as server:
        yield server
        # The one traceback is that of the tool which is made to fail.
        said = server.said()
        assert said.count("Traceback") == said.count("tool crash failed")


@asynccontextmanager
async def connected(
    served: Served, revision: str, encoding: str | None = None
) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=served.origin, timeout=20) as http:
        http.headers.clear()
        client = Client(http, revision, encoding=encoding)
        await client.connect()
        yield client


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_everything_is_what_the_schema_says(
    served: Served, revision: str, encoding: str | None
) -> None:
    async with connected(served, revision, encoding) as client:
        await ask_for_everything(client)
        await make_every_mistake(client)
        for text in HOSTILE:
            assert await client.text("say", text=text) == text


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_each_event_arrives_by_itself(
    served: Served, revision: str, encoding: str | None, gate: str
) -> None:
    """A middleware that compressed each one would leave but the first readable."""
    async with connected(served, revision, encoding) as client:
        message = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(message) as reply:
            assert reply.response.headers["content-encoding"] == "identity"
            assert (await reply.message())["params"]["progress"] == 1
            await client.call("release", gate=gate)
            assert (await reply.message())["params"]["progress"] == 2
            assert (await reply.message())["id"] == message["id"]
            assert await reply.event() is None
        async with client.open(calling(client, "count", to=200)) as reply:
            assert numbers(await read(reply, 999)) == counted(200)


@pytest.mark.parametrize("revision", ALL)
async def test_long_json_is_compressed_once(served: Served, revision: str) -> None:
    async with connected(served, revision, "gzip") as client:
        call = {"name": "echo", "arguments": {"text": "x", "times": 5000}}
        async with client.open(client.message("tools/call", call)) as reply:
            raw = b"".join([piece async for piece in reply.response.aiter_raw()])
        assert len(raw) < 1000
        assert reply.response.headers.get_list("content-encoding") == ["gzip"]
        assert reply.response.headers.get_list("content-length") == [str(len(raw))]
        assert await client.text("echo", text="x", times=5000) == "x" * 5000


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_broken_stream_goes_on_where_it_broke(
    served: Served, revision: str
) -> None:
    async with connected(served, revision) as client:
        async with client.open(calling(client, "count", to=60)) as reply:
            said = await read(reply, 7)
            last = reply.last_event_id
        while len(said) < 61:
            async with client.stream(last) as reply:
                assert reply.is_stream
                said += await read(reply, 7)
                last = reply.last_event_id
    assert numbers(said) == counted(60)


@pytest.mark.parametrize("revision", ALL)
async def test_changes_are_told(served: Served, revision: str) -> None:
    async with connected(served, revision) as client:
        if client.stateful:
            await client.result("resources/subscribe", {"uri": "doc://one"})
            opened: Any = client.stream()
        else:
            wanted = {
                "toolsListChanged": True,
                "promptsListChanged": True,
                "resourcesListChanged": True,
                "resourceSubscriptions": ["doc://one"],
            }
            opened = client.open(listening(client, **wanted))
        async with opened as stream:
            if not client.stateful:
                await stream.message()
            await change_all(client)
            said = [await stream.message() for _ in range(7)]
    assert [m["method"] for m in said] == [*CHANGES, "notifications/resources/updated"]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("tool", ["hold", "hold_thread"])
async def test_what_leaving_means(
    served: Served, revision: str, tool: str, gate: str
) -> None:
    """Spec: 2026-07-28 basic/patterns/cancellation: it cancels; before, it does not."""
    async with connected(served, MODERN) as watch:
        async with connected(served, revision) as leaving:
            message = calling(leaving, tool, gate=gate)
            sending = asyncio.create_task(leaving.send(message))
            assert await watch.text("entered", gate=gate) == "true"
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if revision in LEGACY:
            await watch.call("release", gate=gate)
        ended = await watch.text("fate", gate=gate)
    assert ended == ("released" if revision in LEGACY else "cancelled")
