"""Who is told what changed: sessions on their stream, listeners on their request.

Spec: 2026-07-28 basic/patterns/subscriptions; 2025-11-25 server/resources
#subscriptions.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.conf import get_server
from tests.wire.client import BOUND_S, LEGACY, META, MODERN, Client
from tests.wire.conftest import Opened
from tests.wire.test_streams import calling
from tests.wire.tokens import BOB

UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


def listening(client: Client, **wanted: Any) -> dict[str, Any]:
    return client.message("subscriptions/listen", {"notifications": wanted})


def told(said: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Return what each notification is about."""
    return [(m["method"], m.get("params", {}).get("uri")) for m in said]


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_session_hears_of_the_resources_it_subscribed_to(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as alice, opened(revision, token=BOB) as bob:
        for uri in ("doc://one", "page://a/1"):
            assert await alice.result("resources/subscribe", {"uri": uri}) == {}
        await bob.result("resources/subscribe", {"uri": "doc://picture"})
        async with alice.stream() as hers, bob.stream() as his:
            for uri in ("doc://one", "doc://picture", "page://a/2", "page://a/1"):
                await alice.call("update", uri=uri)
            await alice.result("resources/unsubscribe", {"uri": "doc://one"})
            await alice.call("update", uri="doc://one")
            await alice.call("change", kind="tools")
            await alice.call("change", kind="tools")
            her = [await hers.message() for _ in range(4)]
            him = [await his.message() for _ in range(3)]
    changes = [("notifications/tools/list_changed", None)] * 2
    assert told(her) == [(UPDATED, "doc://one"), (UPDATED, "page://a/1"), *changes]
    assert told(him) == [(UPDATED, "doc://picture"), *changes]


@pytest.mark.parametrize("revision", LEGACY)
async def test_what_cannot_be_read_cannot_be_subscribed_to(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        for params, code in (({"uri": "doc://none"}, -32002), ({}, -32602)):
            answer = await client.request("resources/subscribe", params)
            assert answer["error"]["code"] == code
        answer = await client.request("resources/unsubscribe", {"uri": "doc://none"})
        assert answer["result"] == {}


@pytest.mark.parametrize("revision", LEGACY)
async def test_changes_are_told_on_the_sessions_stream_alone(
    opened: Opened, revision: str, gate: str
) -> None:
    """Spec: 2025-11-25 basic/transports: a message goes out on one stream."""
    async with opened(revision) as client:
        message = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(message) as reply, client.stream() as stream:
            await reply.message()
            await client.call("change", kind="tools")
            await client.call("change", kind="tools")
            await client.call("release", gate=gate)
            rest = [one async for one in reply.messages()]
            on_stream = [await stream.message() for _ in range(2)]
    assert [m.get("method") for m in rest] == ["notifications/progress", None]
    assert {m["method"] for m in on_stream} == {"notifications/tools/list_changed"}


async def test_a_listener_hears_what_it_asked_for(opened: Opened) -> None:
    async with opened(MODERN) as client:
        one = listening(client, toolsListChanged=True, resourceSubscriptions=[])
        two = listening(
            client,
            promptsListChanged=True,
            toolsListChanged=False,
            resourceSubscriptions=["page://a/1", "doc://none", "nothing"],
        )
        async with client.open(one) as first, client.open(two) as second:
            acknowledged = [await first.message(), await second.message()]
            for kind in ("tools", "prompts", "resources"):
                await client.call("change", kind=kind)
                await client.call("change", kind=kind)
            await client.call("update", uri="doc://one")
            await client.call("update", uri="page://a/1")
            await client.call("talk")
            at_first = [await first.message() for _ in range(2)]
            at_second = [await second.message() for _ in range(3)]
            get_server().end_streams()
            ends = [await first.message(), await second.message()]
            assert [await first.event(), await second.event()] == [None, None]
    assert {m["method"] for m in acknowledged} == {ACKNOWLEDGED}
    assert [m["params"]["notifications"] for m in acknowledged] == [
        {"toolsListChanged": True, "resourceSubscriptions": []},
        {"promptsListChanged": True, "resourceSubscriptions": ["page://a/1"]},
    ]
    assert told(at_first) == [("notifications/tools/list_changed", None)] * 2
    assert told(at_second) == [
        ("notifications/prompts/list_changed", None),
        ("notifications/prompts/list_changed", None),
        (UPDATED, "page://a/1"),
    ]
    key = META + "subscriptionId"
    assert {m["params"]["_meta"][key] for m in at_first} == {one["id"]}
    assert {m["params"]["_meta"][key] for m in at_second} == {two["id"]}
    assert [m["id"] for m in ends] == [one["id"], two["id"]]


@pytest.mark.parametrize("id", ["a", "1", 1])
async def test_listeners_of_one_id_do_not_meet(opened: Opened, id: str | int) -> None:
    """Ids are each client's own; the mark of a stream keeps the id's type."""
    async with opened(MODERN) as alice, opened(MODERN, token=BOB) as bob:
        hers = listening(alice, toolsListChanged=True) | {"id": id}
        his = listening(bob, promptsListChanged=True) | {"id": id}
        alice.asked[id] = bob.asked[id] = "subscriptions/listen"
        async with alice.open(hers) as first, bob.open(his) as second:
            marks = [await first.message(), await second.message()]
            await alice.call("change", kind="tools")
            await alice.call("change", kind="tools")
            await alice.call("change", kind="prompts")
            await alice.call("change", kind="prompts")
            assert told([await first.message()])[0][0].endswith("tools/list_changed")
            assert told([await second.message()])[0][0].endswith("prompts/list_changed")
    for mark in marks:
        found = mark["params"]["_meta"][META + "subscriptionId"]
        assert (found, type(found)) == (id, type(id))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"notifications": None},
        {"notifications": []},
        {"notifications": {"toolsListChanged": 1}},
        {"notifications": {"resourceSubscriptions": "doc://one"}},
        {"notifications": {"resourceSubscriptions": [1]}},
        {"notifications": {"resourceSubscriptions": ["x"] * 1001}},
    ],
)
async def test_a_filter_that_is_none_is_refused(
    opened: Opened, params: dict[str, Any]
) -> None:
    async with opened(MODERN) as client:
        response = await client.send(client.message("subscriptions/listen", params))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"]["code"] == -32602


async def test_a_listener_that_leaves_is_forgotten(opened: Opened) -> None:
    async with opened(MODERN) as client:
        before = len(get_server().changes)
        async with client.open(listening(client, toolsListChanged=True)) as stream:
            await stream.message()
            assert len(get_server().changes) == before + 1
        async with asyncio.timeout(BOUND_S):
            while len(get_server().calls):  # noqa: ASYNC110 - has no event to wait for
                await asyncio.sleep(0)
        assert len(get_server().changes) == before
        assert get_server().listeners == set()
