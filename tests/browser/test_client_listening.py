"""What becomes of subscriptions when many ask for them, and when a client ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.browser.conftest import Desk, Visitor
from tests.serving import Served

SESSION = {"revision": LATEST_STATEFUL.name}
NO_SESSION = {"revision": LATEST.name}
EACH_ERA = pytest.mark.parametrize(
    "options", [SESSION, NO_SESSION], ids=["session", "no-session"]
)
UPDATED = "heard.notifications.filter((it) => it.method.endsWith('/updated'))"


async def asked(visitor: Visitor, *methods: str) -> int:
    """Return how often the client has sent any of these methods."""
    sent = [
        it["message"].get("method")
        for it in await visitor.heard("wire")
        if it["direction"] == "sent"
    ]
    return sum(sent.count(method) for method in methods)


@EACH_ERA
async def test_who_subscribes_at_once_shares_one_subscription(
    visitor: Visitor, mortal: Served, token: str, options: dict[str, Any]
) -> None:
    await visitor.connected(mortal.url, token=token, **options)
    await visitor.js(
        """
        const twice = [1, 2].map(() => client.subscribe("desk://stock"));
        await Promise.all(twice);
        """
    )
    assert await asked(visitor, "resources/subscribe", "subscriptions/listen") == 1
    await visitor.call("restock")
    await visitor.until(f"{UPDATED}.length === 1")
    await visitor.js("await client.unsubscribe('desk://stock')")
    await visitor.call("restock")
    await visitor.call("add", a=1, b=1)
    assert await visitor.js(f"return {UPDATED}.length") == 1


async def test_each_who_listens_keeps_what_another_lets_go(
    visitor: Visitor, mortal: Served, token: str
) -> None:
    await visitor.connected(mortal.url, token=token, **SESSION)
    await visitor.js(
        """
        window.changes = 0;
        const wanted = { resourceSubscriptions: ["desk://stock"] };
        const onchange = () => (changes += 1);
        const [first] = await Promise.all(
          [1, 2].map(() => client.listen(wanted, { onchange })),
        );
        await first.close();
        """
    )
    assert await asked(visitor, "resources/subscribe") == 1
    assert await asked(visitor, "resources/unsubscribe") == 0
    await visitor.call("restock")
    await visitor.until("changes === 1")


async def test_what_was_refused_can_be_subscribed_to_again(
    visitor: Visitor, mortal: Served, token: str
) -> None:
    await visitor.connected(mortal.url, token=token, **SESSION)
    subscribe = "return await outcome(client.subscribe('desk://nothing'))"
    for _ in range(2):
        assert (await visitor.js(subscribe))["error"]["name"] == "McpError"
    assert await asked(visitor, "resources/subscribe") == 2


@pytest.mark.parametrize(
    ("door", "path", "options"),
    [
        ("streamable-http", "/mcp", SESSION),
        ("websocket", "/ws", NO_SESSION),
        ("websocket", "/ws", SESSION),
    ],
)
async def test_who_listens_hears_why_the_client_was_closed(
    visitor: Visitor,
    mortal: Served,
    desk: Desk,
    door: str,
    path: str,
    options: dict[str, Any],
) -> None:
    token = await asyncio.to_thread(desk.token, "lost")
    url = f"{mortal.origin}{path}"
    await visitor.connected(url, door=door, token=token, **options)
    await _listen(visitor)
    await asyncio.to_thread(desk.revoke, token)
    await visitor.until("ended.length === 1")
    (why,) = await visitor.js("return ended")
    assert why in (
        {"name": "HttpError", "is": 401},
        {"name": "SocketError", "is": 4401},
    )


@EACH_ERA
async def test_a_page_that_closes_the_client_is_told_nothing(
    visitor: Visitor, mortal: Served, token: str, options: dict[str, Any]
) -> None:
    await visitor.connected(mortal.url, token=token, **options)
    await _listen(visitor)
    await visitor.js("await client.close()")
    assert await visitor.js("return ended") == []


async def _listen(visitor: Visitor) -> None:
    await visitor.js(
        """
        window.ended = [];
        await client.listen({ toolsListChanged: true }, {
          onchange: () => {},
          onend: ({ name, status, code }) => ended.push({ name, is: status ?? code }),
        });
        """
    )
