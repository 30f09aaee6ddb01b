from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.changes import ListChanged, ListKind, ResourceUpdated
from mcp_transport.engine.exchange import Binding, Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.methods.resources import MAX_SUBSCRIPTIONS
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import INVALID_PARAMS, METHOD_NOT_FOUND
from mcp_transport.protocol.peer import SERVER_INFO_KEY, SUBSCRIPTION_KEY
from mcp_transport.protocol.revisions import STATEFUL, STATELESS
from tests.engine.exchanges import (
    INFO,
    Json,
    end_of,
    error,
    next_of,
    opened,
    said,
    serving,
)

EVERYTHING = {
    "toolsListChanged": True,
    "promptsListChanged": True,
    "resourcesListChanged": True,
    "resourceSubscriptions": ["docs://about"],
}


def library() -> Shelf:
    shelf = Shelf()

    @shelf.resource("docs://about")
    def about() -> str:
        return "a shop"

    @shelf.resource("order://{pk}")
    def order(pk: int) -> str:
        return ""

    @shelf.resource("hidden://x", permission="shop.view")
    def hidden() -> str:
        return ""

    return shelf


def listening(server: Server, wanted: Any, **options: Any) -> Exchange:
    params = {"notifications": wanted}
    return opened(server, "subscriptions/listen", params, **options)


def notification(method: str, id: str | int = 1, **params: Any) -> Json:
    return {
        "jsonrpc": "2.0",
        "method": method,
        "params": {**params, "_meta": {SUBSCRIPTION_KEY: id}},
    }


def acknowledged(wanted: Json, id: str | int = 1) -> Json:
    method = "notifications/subscriptions/acknowledged"
    return notification(method, id, notifications=wanted)


async def left(exchange: Exchange) -> None:
    exchange.leave()
    await end_of(exchange.call)


@pytest.mark.parametrize("id", [1, 0, "1", "L1"])
async def test_the_acknowledgement_comes_first_and_names_the_stream(
    id: str | int,
) -> None:
    exchange = listening(serving(library()), EVERYTHING, id=id)
    message = await next_of(exchange)
    assert message == acknowledged(EVERYTHING, id)
    assert type(message["params"]["_meta"][SUBSCRIPTION_KEY]) is type(id)
    assert not exchange.done
    await left(exchange)


@pytest.mark.parametrize(
    ("asked", "honoured"),
    [
        ({}, {}),
        ({"toolsListChanged": False}, {}),
        ({"promptsListChanged": True}, {"promptsListChanged": True}),
        ({"unknown": True, "taskIds": ["1"]}, {}),
        ({"resourceSubscriptions": []}, {"resourceSubscriptions": []}),
        (
            {"resourceSubscriptions": ["order://1", "order://x", "hidden://x", "n://"]},
            {"resourceSubscriptions": ["order://1"]},
        ),
    ],
)
async def test_it_names_what_is_granted_and_no_more(
    asked: Json, honoured: Json
) -> None:
    exchange = listening(serving(library()), asked)
    assert await next_of(exchange) == acknowledged(honoured)
    await left(exchange)


async def test_who_may_read_a_resource_may_subscribe_to_it() -> None:
    reader = Caller("x", frozenset({"resources"}), frozenset({"shop.view"}))
    asked = {"resourceSubscriptions": ["hidden://x"]}
    exchange = listening(serving(library()), asked, caller=reader)
    assert await next_of(exchange) == acknowledged(asked)
    await left(exchange)


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        (EVERYTHING, ["tools", "prompts", "resources"]),
        ({"toolsListChanged": True}, ["tools"]),
        ({"promptsListChanged": True}, ["prompts"]),
        ({"resourcesListChanged": True}, ["resources"]),
        ({}, []),
    ],
)
async def test_only_what_was_asked_for_is_told(asked: Json, kinds: list[str]) -> None:
    server = serving(library())
    exchange = listening(server, asked, id="L")
    await next_of(exchange)
    every: tuple[ListKind, ...] = ("tools", "prompts", "resources")
    for kind in every:
        server.changes.publish(ListChanged(kind))
    for uri in ("docs://about", "docs://other", "order://1"):
        server.changes.publish(ResourceUpdated(uri))
    server.end_streams()
    *told, response = await said(exchange)
    expected = [notification(f"notifications/{k}/list_changed", "L") for k in kinds]
    if "resourceSubscriptions" in asked:
        updated = "notifications/resources/updated"
        expected.append(notification(updated, "L", uri="docs://about"))
    assert told == expected
    assert response["id"] == "L"


async def test_a_change_of_the_catalogue_is_told() -> None:
    shelf = library()
    exchange = listening(serving(shelf), EVERYTHING)
    await next_of(exchange)
    shelf.tool(name="new")(lambda: "x")
    assert await next_of(exchange) == notification("notifications/tools/list_changed")
    await left(exchange)


async def test_each_stream_hears_for_itself() -> None:
    server = serving(library())
    tools = listening(server, {"toolsListChanged": True}, id=1)
    prompts = listening(server, {"promptsListChanged": True}, id=1)
    for exchange in (tools, prompts):
        await next_of(exchange)
    server.changes.publish(ListChanged("prompts"))
    message = await next_of(prompts)
    assert message["method"] == "notifications/prompts/list_changed"
    assert not tools.ready
    for exchange in (tools, prompts):
        await left(exchange)


async def test_the_server_ends_a_stream_with_its_result() -> None:
    server = serving(library())
    exchange = listening(server, EVERYTHING, id="L")
    await next_of(exchange)
    server.end_streams()
    server.end_streams()
    server.changes.publish(ListChanged("tools"))
    messages = await said(exchange)
    assert messages[-1] == {
        "jsonrpc": "2.0",
        "id": "L",
        "result": {
            "resultType": "complete",
            "_meta": {SUBSCRIPTION_KEY: "L", SERVER_INFO_KEY: INFO},
        },
    }
    assert exchange.over
    await end_of(exchange.call)
    assert len(server.changes) == 0
    assert server.listeners == set()
    server.end_streams()


async def test_who_opens_a_stream_where_all_have_ended_has_its_result_at_once() -> None:
    server = serving(library())
    server.end_streams()
    acknowledged, response = await said(listening(server, EVERYTHING, id="L"))
    assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
    assert response["id"] == "L"
    assert "result" in response
    assert len(server.changes) == 0


async def test_the_client_ends_a_stream_by_leaving() -> None:
    server = serving(library())
    async with listening(server, EVERYTHING) as exchange:
        await next_of(exchange)
        assert len(server.changes) == 1
    await end_of(exchange.call)
    assert len(server.changes) == 0
    assert server.listeners == set()
    server.changes.publish(ListChanged("tools"))
    assert await said(exchange) == []


async def test_a_stream_has_no_deadline() -> None:
    server = serving(library(), limits=Limits(call_timeout_s=0.001))
    exchange = listening(server, EVERYTHING)
    await next_of(exchange)
    later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.005, later.set_result, None)
    await later
    assert not exchange.ready
    await left(exchange)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (None, "subscriptions/listen needs notifications, an object"),
        ([], "subscriptions/listen needs notifications, an object"),
        ({"toolsListChanged": "yes"}, "toolsListChanged must be a boolean"),
        ({"promptsListChanged": 1}, "promptsListChanged must be a boolean"),
        ({"resourcesListChanged": None}, "resourcesListChanged must be a boolean"),
        ({"resourceSubscriptions": "a:b"}, "resourceSubscriptions must be a list of"),
        ({"resourceSubscriptions": [5]}, "resourceSubscriptions must be a list of"),
        (
            {"resourceSubscriptions": ["a:b"] * (MAX_SUBSCRIPTIONS + 1)},
            "at most 1000 subscriptions a stream",
        ),
    ],
)
async def test_a_malformed_filter_is_refused(wanted: Any, words: str) -> None:
    server = serving(library())
    found = await error(server, "subscriptions/listen", {"notifications": wanted})
    assert found["code"] == INVALID_PARAMS
    assert found["message"].startswith(words)
    assert len(server.changes) == 0


async def test_a_filter_must_be_there() -> None:
    found = await error(serving(), "subscriptions/listen")
    assert found["code"] == INVALID_PARAMS


async def test_a_door_that_cannot_stream_has_no_such_method() -> None:
    binding = Binding("narrow", STATEFUL, STATELESS, streaming=False)
    exchange = listening(serving(), EVERYTHING, binding=binding)
    (message,) = await said(exchange)
    assert message["error"]["code"] == METHOD_NOT_FOUND
