"""The inspector as an administrator uses it, in the site as it is served."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.site import Site, log_in, served_site

INSPECTOR = "/admin/tools_app/inspector/"
LEAVE_FEEDBACK = "Leave feedback"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser has against the pages, such as a forbidden script."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda message: (
            said.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    return said


async def run_as_the_token(page: Page, site: Site) -> None:
    """Go there from the page of the token."""
    await page.goto(site.url("/admin/tools_app/token/"))
    await page.get_by_role("link", name="laptop").click()
    await page.get_by_role("link", name="Run as…").click()
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()


def run_in_shell(command: str, token: str) -> str:
    return subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "MCP_TOKEN": token},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


async def choose(page: Page, entry: str) -> None:
    await page.get_by_role("link", name=entry).click()
    await expect(page.get_by_role("heading", name=entry)).to_be_visible()


async def test_an_administrator_runs_a_tool_as_somebody_and_answers_its_question(
    page: Page, site: Site, complaints: list[str]
) -> None:
    await log_in(page, site)
    complaints.clear()
    await run_as_the_token(page, site)
    await choose(page, LEAVE_FEEDBACK)
    await page.get_by_role("button", name="Call the tool").click()
    question = page.get_by_role("dialog", name="The server asks")
    await question.get_by_label("Page").select_option(index=1)
    await question.get_by_label("Rating").fill("5")
    await question.get_by_label("Comment").fill("Found at once")
    await question.get_by_role("button", name="Send answer").click()
    await expect(page.locator(".mcp-output")).to_contain_text("stored: true")

    wire = page.get_by_role("log", name="Messages on the wire")
    await expect(wire.get_by_text("tools/call", exact=True)).to_have_count(2)
    await wire.get_by_text("tools/call", exact=True).last.click()
    await expect(wire).to_contain_text("Found at once")

    await page.goto(site.url("/admin/tools_app/token/"))
    await page.get_by_role("link", name="laptop").click()
    await page.get_by_role("link", name="History").click()
    entry = page.get_by_role("row", name="Ran the tool leave_feedback as laptop").first
    await expect(entry).to_contain_text("sam")
    assert complaints == []


async def test_whom_to_run_as_is_picked_from_a_list(page: Page, site: Site) -> None:
    await log_in(page, site)
    await page.get_by_role("link", name="Inspector").first.click()
    await page.locator(".select2-selection").click()
    offered = page.locator(".select2-results__option")
    await page.get_by_role("searchbox").last.fill("ada")
    await expect(offered).to_have_count(3)
    lost = offered.filter(has_text="lost")
    await expect(lost).to_have_attribute("aria-disabled", "true")
    await expect(lost).to_contain_text("revoked")
    await offered.filter(has_text="User ada").click()
    await page.get_by_role("button", name="Run as").click()
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    await page.get_by_text("What this caller may do").click()
    await expect(page.locator(".inspector-caller")).to_contain_text("ada")


async def test_a_link_to_one_entry_opens_it_once_a_caller_is_picked(
    page: Page, site: Site
) -> None:
    await log_in(page, site)
    await page.goto(site.url(f"{INSPECTOR}?kind=tools&key=leave_feedback"))
    await page.locator(".select2-selection").click()
    await page.locator(".select2-results__option", has_text="User ada").click()
    await page.get_by_role("button", name="Run as").click()
    await expect(page.get_by_role("heading", name=LEAVE_FEEDBACK)).to_be_visible()


async def test_what_the_caller_may_not_see_is_not_there(page: Page, site: Site) -> None:
    await log_in(page, site, "root")
    listed = {}
    for name in ("ada", "root"):
        query = await page.evaluate(
            """async ([url, name]) => {
                const found = await (await fetch(`${url}offer/?term=${name}`)).json();
                return found.results.find(({ id }) => id.startsWith("user:")).id;
            }""",
            [INSPECTOR, name],
        )
        await page.goto(site.url(f"{INSPECTOR}?run_as={query}"))
        await expect(page.get_by_role("link", name=LEAVE_FEEDBACK)).to_be_visible()
        listed[name] = await page.locator(".mcp-list code").all_inner_texts()
    # It needs a permission, which superusers have.
    assert set(listed["root"]) - set(listed["ada"]) == {"list_feedback"}


async def test_progress_is_watched_and_a_run_cancelled(page: Page, site: Site) -> None:
    await log_in(page, site)
    await run_as_the_token(page, site)
    await choose(page, "Proofread the documentation")
    await page.get_by_role("button", name="Call the tool").click()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".mcp-status")).to_contain_text("Cancelled")


async def test_resources_and_prompts_are_read(page: Page, site: Site) -> None:
    await log_in(page, site)
    await run_as_the_token(page, site)
    await page.get_by_role("tab", name="Resources").click()
    await page.locator(".mcp-list a").first.click()
    await page.get_by_role("button", name="Read", exact=True).click()
    await expect(page.locator(".mcp-output .mcp-text").first).to_be_visible()
    await page.get_by_role("tab", name="Prompts").click()
    await page.locator(".mcp-list a", has_text="integrate").click()
    await page.get_by_role("button", name="Get the prompt").click()
    await expect(page.locator(".mcp-message").first).to_be_visible()


async def test_a_copy_as_curl_works_with_the_token(
    page: Page, browser_context: BrowserContext, site: Site
) -> None:
    await browser_context.grant_permissions(["clipboard-read", "clipboard-write"])
    await log_in(page, site)
    await run_as_the_token(page, site)
    wire = page.get_by_role("log", name="Messages on the wire")
    sent = wire.locator(".mcp-sent", has_text="tools/list")
    await sent.locator("summary").click()
    await sent.get_by_role("button", name="Copy as curl").click()
    await expect(sent.get_by_role("button", name="Copied")).to_be_visible()
    command: str = await page.evaluate("navigator.clipboard.readText()")
    assert not re.search("csrf|run-as|cookie", command, re.IGNORECASE)
    said = await asyncio.to_thread(run_in_shell, command, site.token)
    names = {tool["name"] for tool in json.loads(said)["result"]["tools"]}
    shown = await page.locator(".mcp-list code").all_inner_texts()
    assert names == set(shown)


async def test_the_configuration_names_the_endpoint(page: Page, site: Site) -> None:
    await log_in(page, site)
    await run_as_the_token(page, site)
    await page.get_by_role("button", name="Connect a client").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f'"url": "{site.url("/mcp")}"')
    await expect(dialog).not_to_contain_text("mcp_")


async def test_who_was_logged_out_is_led_to_log_in(page: Page, site: Site) -> None:
    await log_in(page, site)
    await run_as_the_token(page, site)
    await choose(page, LEAVE_FEEDBACK)
    await page.context.clear_cookies(name="sessionid")
    await page.get_by_role("button", name="Call the tool").click()
    await expect(page.locator(".mcp-output")).to_contain_text("not logged in")
    await page.reload()
    await expect(page).to_have_url(re.compile("/admin/login/"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(page: Page, site: Site, scheme: str) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await log_in(page, site)
    await run_as_the_token(page, site)
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert await page.evaluate(fits)
    await choose(page, LEAVE_FEEDBACK)
    assert await page.evaluate(fits)
    await page.get_by_role("link", name="All entries").click()
    await expect(page.get_by_role("link", name=LEAVE_FEEDBACK)).to_be_visible()
