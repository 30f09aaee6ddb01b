"""A day of an administrator, beside an official client that stays connected: the site
as it is served, in Chromium.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.official import PATIENCE_S, Attending, attending
from tests.browser.site import Site, log_in, served_site
from tests.tools_app.pages import TEXT

CATALOGUE = "/admin/tools_app/catalogueentry/"
TOOLS_CHANGED = "notifications/tools/list_changed"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served_site(tmp_path) as site:
        yield site


async def issue_token(page: Page, site: Site) -> str:
    """Make a token of the user grace's in the admin; return its text, shown once."""
    await page.goto(site.url("/admin/tools_app/token/add/"))
    await page.get_by_label("Name:").fill("a desk")
    await page.locator(".field-owner .select2-selection").click()
    await page.locator(".select2-search__field").fill("grace")
    await page.locator(".select2-results__option", has_text="grace").click()
    await page.get_by_label("Scopes:").fill("*")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("heading", name="Copy the token now")).to_be_visible()
    texts = set(TEXT.findall(await page.content()))
    assert len(texts) == 1
    return str(texts.pop())


async def add(page: Page, site: Site, kind: str, key: str, **fields: str) -> None:
    """Make an entry without code. Fields are by their names in the form."""
    await page.goto(site.url(CATALOGUE + "add/"))
    await page.get_by_role("link", name=kind, exact=True).click()
    await page.get_by_label("Name or URI:").fill(key)
    for name, value in fields.items():
        field = page.locator(f"[name='{name.replace('__', '-')}']")
        if await field.evaluate("field => field.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".messagelist .success")).to_contain_text(key)


async def switch_off(page: Page, site: Site, name: str) -> None:
    await page.goto(site.url(f"{CATALOGUE}?q={name}"))
    await page.get_by_role("link", name=name, exact=True).click()
    await page.get_by_label("On", exact=True).uncheck()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".messagelist .success")).to_contain_text(name)


async def told(client: Attending, method: str) -> None:
    """Wait until the client hears of a change."""
    while await asyncio.to_thread(client.heard) != method:
        pass


async def do(client: Attending, what: str, **order: Any) -> Any:
    return await asyncio.to_thread(lambda: client.do(what, **order))


def text_of(result: Any) -> str:
    text: str = result["content"][0]["text"]
    return text


async def without_code(page: Page, site: Site, client: Attending) -> None:
    """What is made in the admin is used at once."""
    await add(
        page,
        site,
        "Prompt",
        "greeting",
        spec__messages__0__text="Greet {{ name }} warmly.",
        spec__arguments__0__name="name",
    )
    await told(client, "notifications/prompts/list_changed")
    got = await do(client, "get", name="greeting", arguments={"name": "Ada"})
    assert got["messages"][0]["content"]["text"] == "Greet Ada warmly."

    await add(
        page,
        site,
        "Text",
        "shop://hours",
        spec__text="Open from 9 to 5.",
        spec__mime_type="text/plain",
    )
    await told(client, "notifications/resources/list_changed")
    read = await do(client, "read", uri="shop://hours")
    assert read["contents"][0]["text"] == "Open from 9 to 5."

    await add(
        page,
        site,
        "Query of a model",
        "find_ratings",
        spec__model="mcpsite.Feedback",
        spec__shown_fields="page\nrating",
        spec__filters="rating__gte",
    )
    await told(client, TOOLS_CHANGED)
    assert "find_ratings" in await do(client, "tools")
    found = await do(client, "call", name="find_ratings", arguments={"rating__gte": 5})
    assert not found.get("isError"), found
    assert json.loads(text_of(found))["rows"] == []


async def runs_as_grace(page: Page, site: Site) -> None:
    """Run a tool as another user and answer its question."""
    await page.goto(site.url("/admin/tools_app/token/"))
    await page.get_by_role("link", name="a desk").click()
    await page.get_by_role("link", name="Run as…").click()
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Leave feedback").click()
    await page.get_by_role("button", name="Call the tool").click()
    question = page.get_by_role("dialog", name="The server asks")
    await question.get_by_label("Page").select_option(index=1)
    await question.get_by_label("Rating").fill("5")
    await question.get_by_role("button", name="Send answer").click()
    await expect(page.locator(".mcp-output")).to_contain_text("stored: true")


async def calls_of(page: Page, site: Site, name: str, count: int) -> list[str]:
    """Return the rows of the ledger, which is written a moment later."""
    rows = page.locator("#result_list tbody tr")
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await page.goto(site.url(f"/admin/tools_app/call/?q={name}"))
            if await rows.count() == count:
                return await rows.all_inner_texts()


async def test_an_administrator_steers_what_a_connected_client_may_do(
    page: Page, site: Site, tmp_path: Path
) -> None:
    await log_in(page, site, "root")
    token = await issue_token(page, site)
    client_log = tmp_path / "client.log"
    with attending(site.server.url, token, client_log) as client:
        assert "search_docs" in await do(client, "tools")

        await switch_off(page, site, "search_docs")
        await told(client, TOOLS_CHANGED)
        assert "search_docs" not in await do(client, "tools")
        refused = await asyncio.to_thread(
            client.is_refused, "call", name="search_docs", arguments={"query": "x"}
        )
        assert refused == "Unknown tool: search_docs"

        await without_code(page, site, client)
        await runs_as_grace(page, site)
        found = await do(
            client, "call", name="find_ratings", arguments={"rating__gte": 5}
        )
        assert [row["rating"] for row in json.loads(text_of(found))["rows"]] == [5]

        # A tool that asked is two requests, where there is no session.
        for row in await calls_of(page, site, "leave_feedback", 2):
            assert "grace, run by root" in row
        for row in await calls_of(page, site, "find_ratings", 2):
            assert "grace" in row
            assert "run by" not in row

        await page.goto(site.url("/admin/tools_app/dashboard/"))
        session = page.locator("tr", has_text="a desk (grace)")
        await session.get_by_role("button", name="End session").click()
        await expect(page.locator(".messagelist")).to_be_visible()
        ended = await asyncio.to_thread(client.is_refused, "tools")
        assert "Session" in ended
