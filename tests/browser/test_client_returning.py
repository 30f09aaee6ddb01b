"""How a client comes back: with what credential, how often, and to what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from mcp_transport.protocol.revisions import LATEST
from tests.browser.conftest import (
    BOUND_S,
    CHROMIUM,
    NO_SESSION,
    SESSION,
    Visitor,
    issue_ticket,
)
from tests.browser.line import Line
from tests.serving import Served

# Credentials that cannot be had for the moment.


async def issue_by_page(visitor: Visitor, program: str) -> None:
    """Let the page issue tickets as long as ``issuing`` says so."""
    await visitor.js(
        f"""
        window.refusals = 0;
        window.issuing = true;
        window.issueTicket = async () => {{
          if (issuing) return await issueRealTicket();
          refusals += 1;
          {program}
        }};
        """
    )


@pytest_asyncio.fixture(loop_scope="session")
async def issuing(visitor: Visitor, steady: Served, token: str) -> None:
    async def issue() -> str:
        return await asyncio.to_thread(issue_ticket, steady, token)

    await visitor.page.expose_function("issueRealTicket", issue)


async def test_a_ticket_that_cannot_be_fetched_is_asked_for_again(
    visitor: Visitor, line: Line, issuing: None
) -> None:
    await issue_by_page(visitor, 'throw new TypeError("Failed to fetch");')
    await visitor.connected(
        f"{line.origin}/ws", door="websocket", ticketed=True, **NO_SESSION
    )
    await visitor.js("issuing = false")
    await line.cut()
    await visitor.until("refusals >= 2")
    assert await visitor.js("return client.state") == "reconnecting"
    told = (await visitor.heard("states"))[-1]["error"]
    assert told["name"] == "ConnectionLostError"
    assert told["cause"] == "TypeError: Failed to fetch"
    await visitor.js("issuing = true")
    assert await visitor.call("add", a=1, b=2) == "3"


async def test_a_page_says_that_there_is_no_credential_any_more(
    visitor: Visitor, line: Line, issuing: None
) -> None:
    await issue_by_page(visitor, 'throw new mcp.HttpError(403, "nobody");')
    await visitor.connected(
        f"{line.origin}/ws", door="websocket", ticketed=True, **NO_SESSION
    )
    await visitor.js("issuing = false")
    await line.cut()
    await visitor.until("heard.states.at(-1).state === 'closed'")
    assert (await visitor.heard("states"))[-1]["error"]["status"] == 403
    assert await visitor.js("return refusals") == 1


async def test_a_call_waits_for_a_token_that_cannot_be_fetched(
    visitor: Visitor, mortal: Served, token: str
) -> None:
    """The stream of the session as well: neither is a reason to give it up."""
    await visitor.js(
        """
        window.fails = 0;
        const [url, token, options] = args;
        window.client = await mcp.Client.connect(url, {
          ...options,
          token: () => {
            if (fails === 0) return token;
            fails -= 1;
            throw new TypeError("Failed to fetch");
          },
        });
        """,
        mortal.url,
        token,
        SESSION,
    )
    await visitor.js("fails = 3")
    assert await visitor.call("add", a=1, b=2) == "3"
    assert await visitor.js("return client.state") == "open"


# Without a network.


async def test_a_call_that_was_sent_before_the_network_went_may_have_run(
    visitor: Visitor, line: Line, token: str
) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **NO_SESSION)
    text = "before the net went"
    await visitor.js("begin('noting', 'note_silently', { text: args[0] })", text)
    await visitor.until_told("notes", text)
    # No reply: else Chromium would repeat the request by itself.
    line.is_down = True
    await visitor.page.context.set_offline(True)
    await line.cut()
    came = await visitor.js("return await end('noting')")
    assert came["error"]["name"] == "ConnectionLostError"
    assert came["error"]["mayHaveRun"] is True


@pytest.mark.parametrize(
    ("host", "may_have_run"),
    [("127.0.0.1", True), ("[::1]", True), ("localhost", True), ("far.test", False)],
)
async def test_without_a_network_nothing_reaches_another_machine(
    visitor: Visitor, host: str, may_have_run: bool
) -> None:
    await visitor.page.context.set_offline(True)
    came = await visitor.connect(f"http://{host}:9/mcp")
    assert came["error"]["name"] == "ConnectionLostError"
    assert came["error"]["mayHaveRun"] is may_have_run


# Sessions that do not last.


async def test_a_server_that_drops_everybody_is_not_asked_without_pause(
    visitor: Visitor, line: Line, token: str
) -> None:
    backoff = {"firstMs": 50, "attempts": 4}
    options = {"door": "websocket", "token": token, "revision": LATEST.name}
    await visitor.connected(f"{line.origin}/ws", **options, backoff=backoff)
    for _ in range(4):
        await visitor.until("client.state === 'open'")
        await line.cut()
        await visitor.until("client.state !== 'open'")
    await visitor.until("client.state !== 'reconnecting'")
    told = await visitor.heard("states")
    attempts = [it["attempt"] for it in told if it["state"] == "reconnecting"]
    assert attempts == [0, 1, 2, 3]


# A page that is left, and comes back as it was.


@pytest_asyncio.fixture(loop_scope="session")
async def caching_page(pages: str) -> AsyncIterator[Page]:
    """A page of a browser that keeps pages which were left, as browsers do."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        page = await browser.new_page()
        await page.goto(f"{pages}/index.html")
        await page.wait_for_function("() => window.ready")
        yield page
        await browser.close()


@pytest.mark.parametrize(
    ("door", "path", "revision"),
    [
        ("streamable-http", "/mcp", SESSION),
        ("streamable-http", "/mcp", NO_SESSION),
        ("sse", "/sse", SESSION),
        ("websocket", "/ws", NO_SESSION),
    ],
)
async def test_a_page_that_comes_back_as_it_was_calls_and_hears(
    caching_page: Page,
    mortal: Served,
    token: str,
    door: str,
    path: str,
    revision: dict[str, Any],
) -> None:
    visitor = Visitor(caching_page)
    url = f"{mortal.origin}{path}"
    await visitor.connected(url, door=door, token=token, **revision)
    await visitor.js(
        """
        window.changes = 0;
        window.persisted = [];
        addEventListener("pageshow", (event) => persisted.push(event.persisted));
        const onchange = () => (changes += 1);
        await client.listen({ toolsListChanged: true }, { onchange });
        """
    )
    await caching_page.goto("about:blank")
    await caching_page.evaluate("void setTimeout(() => history.back())")
    await visitor.until("window.persisted?.length === 1")
    assert await visitor.js("return persisted") == [True]
    await visitor.until("client.state === 'open'")
    assert await visitor.call("add", a=1, b=2) == "3"
    async with asyncio.timeout(BOUND_S):
        while await visitor.js("return changes") == 0:
            await visitor.call("toggle")
    assert await visitor.heard("errors") == []
