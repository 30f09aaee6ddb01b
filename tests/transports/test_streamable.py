"""The endpoint as a view: what HTTP clients see of it is in ``tests.wire``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncRequestFactory, RequestFactory

from mcp_transport import Caller, ListChanged, ResourceUpdated, Shelf
from mcp_transport.engine.limits import Limits
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from mcp_transport.stores.memory import MemoryStore
from mcp_transport.transports.delivery import Deliveries
from mcp_transport.transports.streamable import StreamableHTTP
from tests.engine.exchanges import PATIENCE_S, serving

ALICE, BOB = Caller("alice", frozenset({"*"})), Caller("bob", frozenset({"*"}))
META = {
    "io.modelcontextprotocol/protocolVersion": LATEST.name,
    "io.modelcontextprotocol/clientCapabilities": {},
}
Factory = type[RequestFactory] | type[AsyncRequestFactory]
HANDSHAKE = {"protocolVersion": LATEST_STATEFUL.name, "capabilities": {}}

shelf = Shelf()
ended: list[str] = []


@shelf.tool
async def endless() -> None:
    """Wait for ever, and tell of the end."""
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("endless")


@shelf.resource("doc://one")
async def one() -> str:
    """Return a text."""
    return "1"


class Endpoint:
    """The view with its stores, and requests to it."""

    def __init__(self, **limits: Any) -> None:
        bounds = Limits(**limits)
        self.store = MemoryStore(bounds)
        self.server = serving(shelf, limits=bounds, signals=self.store.signals)
        deliveries = Deliveries(self.store, bounds)
        self.view = StreamableHTTP(self.server, self.store, deliveries)

    @property
    def sessions(self) -> int:
        """How many sessions there are whose clients are ready."""
        return len(self.store.sessions.wanting(ListChanged("tools")))

    async def ask(
        self,
        method: str = "POST",
        body: Any = None,
        *,
        caller: Caller | None = ALICE,
        headers: Mapping[str, str] | None = None,
        factory: Factory = AsyncRequestFactory,
    ) -> HttpResponseBase:
        request = factory().generic(
            method,
            "/mcp",
            json.dumps(body),
            content_type="application/json",
            headers=dict(headers or {}),
        )
        return await self.view(request, caller)

    async def session(self, caller: Caller = ALICE) -> dict[str, str]:
        """Shake hands; return the header that names the session."""
        response = await self.ask(
            body=request("initialize", **HANDSHAKE), caller=caller
        )
        headers = {"Mcp-Session-Id": response["Mcp-Session-Id"]}
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await self.ask(body=ready, caller=caller, headers=headers)
        return headers


def request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def stateless(method: str, **params: Any) -> dict[str, Any]:
    return request(method, **params, _meta=META)


def mirrored(method: str, name: str | None = None) -> dict[str, str]:
    headers = {"MCP-Protocol-Version": LATEST.name, "Mcp-Method": method}
    return headers if name is None else {**headers, "Mcp-Name": name}


def said(response: HttpResponseBase) -> Any:
    assert isinstance(response, HttpResponse)
    return json.loads(response.content)


async def piece(response: HttpResponseBase) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    async with asyncio.timeout(PATIENCE_S):
        found: bytes = await anext(aiter(response.streaming_content))  # type: ignore[arg-type]
        return found


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT"])
async def test_nobody_is_served_whom_nothing_has_authenticated(
    factory: Factory, method: str
) -> None:
    endpoint = Endpoint()
    response = await endpoint.ask(method, caller=None, factory=factory)
    assert response.status_code == 401
    assert (await endpoint.ask("OPTIONS", caller=None)).status_code == 204


@pytest.mark.parametrize(
    ("factory", "supported"), [(AsyncRequestFactory, True), (RequestFactory, False)]
)
async def test_only_an_asgi_request_can_have_a_session(
    factory: Factory, supported: bool
) -> None:
    endpoint = Endpoint()
    response = await endpoint.ask(
        body=request("initialize", **HANDSHAKE), factory=factory
    )
    assert response.status_code == (200 if supported else 400)
    assert ("Mcp-Session-Id" in response) == supported
    session = await endpoint.store.sessions.get(
        response.get("Mcp-Session-Id", ""), ALICE.subject
    )
    assert (session is not None) == supported


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
async def test_the_stateless_revision_is_served_everywhere(
    factory: Factory,
) -> None:
    response = await Endpoint().ask(
        body=stateless("tools/list"), headers=mirrored("tools/list"), factory=factory
    )
    assert response.status_code == 200
    assert [tool["name"] for tool in said(response)["result"]["tools"]] == ["endless"]


async def test_changes_reach_each_session_once() -> None:
    endpoint = Endpoint()
    hers = [await endpoint.session(), await endpoint.session()]
    his = await endpoint.session(BOB)
    subscribe = request("resources/subscribe", uri="doc://one")
    assert said(await endpoint.ask(body=subscribe, headers=hers[0]))["result"] == {}
    endpoint.server.announce(ListChanged("tools"))
    endpoint.server.announce(ResourceUpdated("doc://one"))
    await asyncio.sleep(0)
    heard = []
    for headers, caller in ((hers[0], ALICE), (hers[1], ALICE), (his, BOB)):
        response = await endpoint.ask("GET", headers=headers, caller=caller)
        await piece(response)  # the place to come back to
        heard.append((await piece(response)).count(b"data: {"))
    assert heard == [2, 1, 1]


def test_sessions_are_served_by_one_event_loop_after_another() -> None:
    endpoint = Endpoint()
    for count in (1, 2):
        asyncio.run(endpoint.session())
        assert endpoint.sessions == count
    # Both loops are closed by now: there is nobody to be told.
    endpoint.server.announce(ListChanged("tools"))


async def test_a_cancelled_view_ends_the_call_that_it_waits_for() -> None:
    endpoint = Endpoint()
    call = stateless("tools/call", name="endless", arguments={})
    headers = mirrored("tools/call", "endless")
    serving_it = asyncio.create_task(endpoint.ask(body=call, headers=headers))
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(endpoint.server.calls) == 1
    before = len(ended)
    serving_it.cancel()
    await asyncio.gather(serving_it, return_exceptions=True)
    assert await endpoint.server.calls.drain(PATIENCE_S) == 0
    assert len(ended) == before + 1


async def test_closing_a_response_ends_its_call() -> None:
    endpoint = Endpoint(keep_alive_s=0.001)
    call = stateless("tools/call", name="endless", arguments={})
    response = await endpoint.ask(body=call, headers=mirrored("tools/call", "endless"))
    assert await piece(response) == b":\n\n"
    before = len(ended)
    for close in response._resource_closers:  # type: ignore[attr-defined]
        close()
    assert await endpoint.server.calls.drain(PATIENCE_S) == 0
    assert len(ended) == before + 1


async def test_delete_leaves_nothing_of_a_session() -> None:
    endpoint = Endpoint(keep_alive_s=0.001)
    headers = await endpoint.session()
    call = request("tools/call", name="endless", arguments={})
    response = await endpoint.ask(body=call, headers=headers)
    await piece(response)
    assert (await endpoint.ask("DELETE", headers=headers)).status_code == 204
    assert await endpoint.server.calls.drain(PATIENCE_S) == 0
    assert endpoint.sessions == 0
    for method in ("GET", "DELETE"):
        gone = await endpoint.ask(method, headers=headers)
        assert gone.status_code == 404
