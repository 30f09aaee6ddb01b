from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.errors import ResourceNotFound, ToolError
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.methods.resources import MAX_SUBSCRIPTIONS
from mcp_transport.protocol.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    RESOURCE_NOT_FOUND,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    error,
    every_revision,
    every_stateful,
    result,
    serving,
    session_of,
)

ORDERS = {"1": "tea"}


def library() -> Shelf:
    shelf = Shelf()

    @shelf.resource(
        "docs://about",
        title="About",
        mime_type="text/markdown",
        size=6,
        ttl_ms=5000,
        cache_scope="public",
        annotations={"audience": ["user"], "lastModified": "2020-01-01"},
        icons=[{"src": "https://x/i.png"}],
        meta={"m": 1},
    )
    def about() -> str:
        """About the shop."""
        return "a shop"

    @shelf.resource("order://{pk}", title="Order", mime_type="text/plain")
    def order(pk: str) -> str:
        """Return an order."""
        if pk == "secret":
            raise ValueError("a secret")
        if pk == "closed":
            raise ToolError("The shop is closed.")
        if pk == "lost":
            raise LookupError("a secret")
        if pk not in ORDERS:
            raise ResourceNotFound("a secret")
        return ORDERS[pk]

    @shelf.resource("hidden://x", permission="shop.view")
    def hidden() -> str:
        return "seen"

    return shelf


async def read(uri: Any, **options: Any) -> Json:
    return await result(serving(library()), "resources/read", {"uri": uri}, **options)


async def unread(uri: Any, **options: Any) -> Json:
    server = options.pop("server", None) or serving(library())
    return await error(server, "resources/read", {"uri": uri}, **options)


@every_revision
async def test_a_list_says_what_the_revision_knows(revision: Revision) -> None:
    found = await result(serving(library()), "resources/list", revision=revision)
    (resource,) = found["resources"]
    known, annotations = revision.fields["Resource"], revision.fields["Annotations"]
    complete = {
        "uri": "docs://about",
        "name": "about",
        "title": "About",
        "description": "About the shop.",
        "mimeType": "text/markdown",
        "size": 6,
        "annotations": {
            "audience": ["user"],
            **({"lastModified": "2020-01-01"} if "lastModified" in annotations else {}),
        },
        "icons": [{"src": "https://x/i.png"}],
        "_meta": {"m": 1},
    }
    assert resource == {k: v for k, v in complete.items() if k in known}


@every_revision
async def test_templates_have_a_list_of_their_own(revision: Revision) -> None:
    found = await result(
        serving(library()), "resources/templates/list", revision=revision
    )
    (template,) = found["resourceTemplates"]
    complete = {
        "uriTemplate": "order://{pk}",
        "name": "order",
        "title": "Order",
        "description": "Return an order.",
        "mimeType": "text/plain",
    }
    known = revision.fields["ResourceTemplate"]
    assert template == {k: v for k, v in complete.items() if k in known}


@every_revision
async def test_a_resource_is_read_by_its_uri(revision: Revision) -> None:
    contents = {"uri": "docs://about", "mimeType": "text/markdown", "text": "a shop"}
    expected: Json = {"contents": [contents]}
    if not revision.stateful:
        expected |= {"ttlMs": 5000, "cacheScope": "public"}
    assert await read("docs://about", revision=revision) == expected


@every_revision
async def test_a_resource_is_read_by_a_template(revision: Revision) -> None:
    found = await read("order://1", revision=revision)
    assert found["contents"] == [
        {"uri": "order://1", "mimeType": "text/plain", "text": "tea"}
    ]
    if not revision.stateful:
        assert (found["ttlMs"], found["cacheScope"]) == (0, "private")


@pytest.mark.parametrize(
    "uri", ["docs://nothing", "order://9", "order://a/b", "hidden://x", "", "x" * 5000]
)
@every_revision
async def test_what_is_not_there_is_said_in_the_code_of_the_revision(
    revision: Revision, uri: str
) -> None:
    assert await unread(uri, revision=revision) == {
        "code": RESOURCE_NOT_FOUND if revision.stateful else INVALID_PARAMS,
        "message": "Resource not found",
        "data": {"uri": uri[:2048]},
    }


async def test_the_application_says_which_failures_mean_missing() -> None:
    server = serving(library(), missing=(LookupError,))
    found = await unread("order://lost", server=server)
    assert found["message"] == "Resource not found"
    assert (await unread("order://lost"))["code"] == INTERNAL_ERROR


async def test_who_has_the_permission_reads() -> None:
    reader = Caller("x", frozenset({"resources"}), frozenset({"shop.view"}))
    found = await read("hidden://x", caller=reader)
    assert found["contents"][0]["text"] == "seen"


@every_revision
async def test_a_failure_stays_inside(revision: Revision) -> None:
    found = await unread("order://secret", revision=revision)
    assert found.keys() == {"code", "message"}
    assert found["code"] == INTERNAL_ERROR
    assert found["message"].startswith("Internal error (")
    assert "a secret" not in str(found)


async def test_words_that_are_meant_to_be_read_are_said() -> None:
    assert await unread("order://closed") == {
        "code": INTERNAL_ERROR,
        "message": "The shop is closed.",
    }
    server = serving(library(), explain=lambda failure: "It is broken.")
    assert await unread("order://secret", server=server) == {
        "code": INTERNAL_ERROR,
        "message": "It is broken.",
    }


@pytest.mark.parametrize("uri", [None, 5, ["docs://about"], {"a": 1}])
@every_revision
async def test_a_uri_is_a_string(revision: Revision, uri: Any) -> None:
    assert await unread(uri, revision=revision) == {
        "code": INVALID_PARAMS,
        "message": "resources/read needs uri, a string",
    }


@every_revision
async def test_reading_has_its_time_and_no_more(revision: Revision) -> None:
    shelf, ended = Shelf(), []

    @shelf.resource("slow://x")
    async def slow() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(1)
        return "never"

    server = serving(shelf, limits=Limits(call_timeout_s=0.001))
    params = {"uri": "slow://x"}
    assert await error(server, "resources/read", params, revision=revision) == {
        "code": INTERNAL_ERROR,
        "message": "resources/read did not finish within 0.001 s",
    }
    assert await server.calls.drain(PATIENCE_S) == 0
    assert ended == [1]


# Subscriptions.


@every_stateful
async def test_a_session_subscribes_to_what_it_may_read(revision: Revision) -> None:
    server, session = serving(library()), session_of(revision)

    async def subscribe(uri: str) -> Json:
        return await result(
            server, "resources/subscribe", {"uri": uri}, session=session
        )

    assert await subscribe("docs://about") == {}
    assert await subscribe("order://1") == {}
    assert await subscribe("order://1") == {}
    assert session.subscriptions == {"docs://about", "order://1"}
    for uri in ("docs://nothing", "hidden://x"):
        found = await error(
            server, "resources/subscribe", {"uri": uri}, session=session
        )
        assert found["code"] == RESOURCE_NOT_FOUND
    for uri in ("order://1", "order://1", "never://was"):
        params = {"uri": uri}
        assert (
            await result(server, "resources/unsubscribe", params, session=session) == {}
        )
    assert session.subscriptions == {"docs://about"}


@pytest.mark.parametrize("method", ["resources/subscribe", "resources/unsubscribe"])
async def test_a_subscription_has_a_uri(method: str) -> None:
    session = session_of(LATEST_STATEFUL)
    assert await error(serving(library()), method, {"uri": 5}, session=session) == {
        "code": INVALID_PARAMS,
        "message": f"{method} needs uri, a string",
    }


async def test_subscriptions_have_a_bound() -> None:
    server, session = serving(library()), session_of(LATEST_STATEFUL)
    session.subscriptions.update(f"order://x{n}" for n in range(MAX_SUBSCRIPTIONS))
    params = {"uri": "docs://about"}
    assert await error(server, "resources/subscribe", params, session=session) == {
        "code": INVALID_PARAMS,
        "message": "at most 1000 subscriptions a session",
    }
    assert len(session.subscriptions) == MAX_SUBSCRIPTIONS
