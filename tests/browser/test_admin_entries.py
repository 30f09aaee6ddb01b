"""Entries without code, made in Chromium and used by an official client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.official import Attending, attending
from tests.siteproject import SiteProject

CATALOGUE = "/admin/tools_app/catalogueentry/"
PEOPLE = """
from django.contrib.auth.models import User
User.objects.create_superuser("root", password="secret")
"""
LIST_CHANGED = "notifications/prompts/list_changed"


@dataclass(frozen=True)
class Site:
    origin: str
    client: Attending


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, with the client that stays connected to it."""
    here: Path = tmp_path_factory.mktemp("entries")
    project = SiteProject(here, PEOPLE)
    token = project.create_token("client", "root")
    with (
        project.served() as server,
        attending(server.url, token, here / "client.log") as client,
    ):
        yield Site(server.origin, client)


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser has against the pages, such as a forbidden script."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda message: (
            said.append(message.text) if "Content Security" in message.text else None
        ),
    )
    return said


async def log_in(page: Page, site: Site) -> None:
    await page.goto(f"{site.origin}/admin/login/?next={CATALOGUE}")
    await page.get_by_label("Username").fill("root")
    await page.get_by_label("Password").fill("secret")
    await page.get_by_role("button", name="Log in").click()


async def choose(page: Page, kind: str) -> None:
    await page.get_by_role("link", name="Add catalogue entry").click()
    await page.get_by_role("link", name=kind, exact=True).click()


async def save(page: Page) -> None:
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("was added successfully")).to_be_visible()


async def test_a_prompt_is_written_looked_at_saved_and_used(
    page: Page, site: Site, complaints: list[str]
) -> None:
    await log_in(page, site)
    await choose(page, "Prompt")
    await page.get_by_label("Name or URI").fill("greet")
    rows = page.locator('[data-rows="spec-messages"]')
    await rows.get_by_label("Text").nth(0).fill("Greet {{ name }}.")
    await rows.get_by_role("button", name="Add another").click()
    await expect(rows.get_by_label("Text")).to_have_count(3)
    await expect(rows.get_by_label("Role").nth(2)).to_be_focused()
    await rows.get_by_label("Role").nth(2).select_option("assistant")
    await (
        rows.get_by_label("Text")
        .nth(2)
        .fill("{% if tone %}I am {{ tone }}.{% endif %}")
    )
    arguments = page.locator('[data-rows="spec-arguments"]')
    await arguments.get_by_label("Name").nth(0).fill("name")
    await arguments.get_by_label("Required").nth(0).check()
    await arguments.get_by_label("Name").nth(1).fill("tone")
    await arguments.get_by_label("Suggested values").nth(1).fill("kind\nformal")

    async with page.context.expect_page() as opened:
        await page.get_by_role("button", name="Preview").click()
    preview = await opened.value
    await expect(preview.locator(".mcp-message pre")).to_have_text(
        ["Greet [name].", "I am kind."]
    )
    await preview.get_by_label("tone").fill("")
    await preview.get_by_role("button", name="Preview").click()
    await expect(preview.locator(".mcp-message pre")).to_have_text(["Greet [name]."])
    await preview.close()

    await save(page)
    assert await asyncio.to_thread(site.client.heard) == LIST_CHANGED
    got = await asyncio.to_thread(
        site.client.do, "get", name="greet", arguments={"name": "Ada", "tone": "formal"}
    )
    said = [(m["role"], m["content"]["text"]) for m in got["messages"]]
    assert said == [("user", "Greet Ada."), ("assistant", "I am formal.")]
    assert complaints == []


async def test_a_text_and_a_query_are_made_and_used(
    page: Page, site: Site, complaints: list[str]
) -> None:
    await log_in(page, site)
    await choose(page, "Text")
    await page.get_by_label("Name or URI").fill("site://hours")
    await page.locator("[name=spec-text]").fill("Nine to five.")
    await save(page)
    read = await asyncio.to_thread(site.client.do, "read", uri="site://hours")
    assert read["contents"][0]["text"] == "Nine to five."

    await choose(page, "Query of a model")
    await page.get_by_label("Name or URI").fill("find_users")
    await page.locator("[name=spec-model]").select_option("auth.User")
    await page.locator("[name=spec-shown_fields]").fill("username\npassword")
    await page.locator("[name=spec-filters]").fill("username__startswith")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("password looks like a secret")).to_be_visible()
    await page.locator("[name=spec-shown_fields]").fill("username")
    await save(page)
    result = await asyncio.to_thread(
        site.client.do,
        "call",
        name="find_users",
        arguments={"username__startswith": "ro"},
    )
    assert result["structuredContent"]["rows"] == [{"username": "root"}]
    assert complaints == []


async def test_a_file_is_looked_at_and_then_imported(
    page: Page, site: Site, complaints: list[str], tmp_path: Path
) -> None:
    entry = {
        "kind": "prompts",
        "key": "farewell",
        "source": "prompt",
        "spec": {"messages": [{"role": "user", "text": "Say farewell."}]},
    }
    document = {"format": "mcp-catalogue", "version": 1, "entries": [entry]}
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(document))
    await log_in(page, site)
    await page.get_by_role("link", name="Import").click()
    await page.get_by_label("File").set_input_files(file)
    await page.get_by_role("button", name="Show what would change").click()
    row = page.get_by_role("row").filter(has_text="farewell")
    await expect(row).to_contain_text("created")
    assert "farewell" not in await asyncio.to_thread(site.client.do, "prompts")
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.get_by_text("1 created, 0 changed")).to_be_visible()
    assert "farewell" in await asyncio.to_thread(site.client.do, "prompts")
    assert complaints == []
