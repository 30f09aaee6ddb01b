"""The console in Chromium: by each door, by keyboard, on a phone, across origins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize, expect

from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.browser.conftest import APPLICATION, Desk
from tests.browser.console.conftest import Console
from tests.browser.line import line_to
from tests.serving import Served, daphne

PHONE = ViewportSize(width=360, height=740)


@pytest.mark.parametrize(
    ("door", "revision", "spoken"),
    [
        ("streamable-http", "auto", LATEST.name),
        ("streamable-http", LATEST_STATEFUL.name, LATEST_STATEFUL.name),
        ("sse", "auto", LATEST_STATEFUL.name),
        ("websocket", "auto", LATEST.name),
        ("websocket", LATEST_STATEFUL.name, LATEST_STATEFUL.name),
    ],
)
async def test_it_does_all_by_each_door(
    console: Console, bearer: str, door: str, revision: str, spoken: str
) -> None:
    page = console.page
    await console.connect(bearer, door, revision)
    await console.state("Connected")
    await expect(page.locator("[data-part=server]")).to_have_text("The Desk")
    await expect(page.locator("[data-part=revision]")).to_have_text(spoken)

    await console.choose("add")
    await console.call(a="2", b="3")
    await console.result("5")

    await console.choose("count")
    await console.call(upto="3")
    await console.result("counted to 3")
    await expect(page.locator(".mcp-progress")).to_contain_text("3 of 3: number 3")
    await expect(page.locator(".mcp-activity")).to_contain_text('{"number":3}')

    await console.choose("wait")
    await console.call(name=f"{door} {spoken}")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".mcp-status")).to_contain_text("Cancelled after")
    await console.choose("given_up")
    await console.call()
    await console.result(f"{door} {spoken}")

    await console.choose("order")
    await console.call()
    dialog = page.get_by_role("dialog", name="The server asks")
    await dialog.get_by_label("Your name").fill("Ada")
    await dialog.get_by_role("button", name="Send answer").click()
    await console.result("ordered for Ada")

    await expect(page.locator(".mcp-wire")).to_contain_text("tools/call")
    await page.get_by_role("button", name="Disconnect").click()
    await console.state("Not connected")


async def test_a_question_may_be_declined_or_closed(
    console: Console, bearer: str
) -> None:
    await console.connect(bearer)
    await console.choose("order")
    for refuse in ("Decline", "Cancel"):
        await console.call()
        dialog = console.page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Send answer").click()
        await expect(dialog.get_by_text("This is required.")).to_be_visible()
        await dialog.get_by_role("button", name=refuse).click()
        await console.result("no order")
    await console.call()
    await expect(console.page.get_by_role("dialog")).to_be_visible()
    await console.page.keyboard.press("Escape")
    await expect(console.page.get_by_role("dialog")).to_have_count(0)
    await console.result("no order")


async def test_a_failure_is_shown_as_one(console: Console, bearer: str) -> None:
    await console.connect(bearer)
    await console.choose("fail")
    await console.call()
    alert = console.page.locator(".mcp-result [role=alert]")
    await expect(alert).to_have_text("The tool says that it failed.")
    await console.result("The desk is closed. Come back on Monday.")


async def test_the_keyboard_alone_is_enough(console: Console, bearer: str) -> None:
    keyboard = console.page.keyboard

    async def reach(label: str, key: str = "Tab") -> None:
        """Press a key until what has the focus is called so."""
        for _ in range(60):
            name = await console.page.evaluate(NAME_OF_FOCUS)
            if name.startswith(label):
                return
            await keyboard.press(key)
        raise AssertionError(f"{label} cannot be reached by {key}")

    await reach("Token")
    await keyboard.type(bearer)
    await keyboard.press("Enter")
    await console.state("Connected")
    await reach("Search the catalogue", "Shift+Tab")
    await keyboard.type("ord")
    await reach("order")
    await keyboard.press("Enter")
    await expect(console.page.locator(".mcp-panel h2")).to_be_focused()
    await reach("Call the tool")
    await keyboard.press("Enter")
    await reach("Your name")
    await keyboard.type("Grace")
    await keyboard.press("Enter")
    await console.result("ordered for Grace")
    await reach("Call the tool")
    await keyboard.press("Escape")
    await expect(console.page.locator(".mcp-list a").first).to_be_focused()
    await reach("Tools", "Shift+Tab")
    await keyboard.press("ArrowRight")
    await keyboard.press("Enter")
    await expect(console.page.get_by_role("tab", name="Resources")).to_have_attribute(
        "aria-selected", "true"
    )


# What a screen reader would call the element that has the focus, roughly.
NAME_OF_FOCUS = """() => {
  const at = document.activeElement;
  return (at.labels?.[0] ?? at).textContent.trim();
}"""


async def test_a_phone_needs_no_scrolling_sideways(
    console: Console, bearer: str
) -> None:
    page = console.page
    await page.set_viewport_size(PHONE)

    async def fits() -> None:
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]

    await fits()
    await console.connect(bearer)
    await console.state("Connected")
    await fits()
    await console.choose("count")
    await expect(page.locator(".mcp-list")).to_be_hidden()
    await console.call(upto="2")
    await console.result("counted to 2")
    await page.locator(".mcp-wire summary").last.click()
    await fits()
    await page.get_by_role("link", name="All entries").click()
    await expect(page.locator(".mcp-list")).to_be_visible()
    await console.choose("order")
    await console.call()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await fits()


async def test_another_origin_is_reached_where_it_allows_that(
    console: Console, console_desk: Desk, bearer: str, tmp_path: Path
) -> None:
    environ = {**console_desk.environ, "DESK_PAGES": console.origin}
    with daphne(APPLICATION, tmp_path / "other.log", environ=environ) as other:
        for door, path in (
            ("streamable-http", "mcp"),
            ("sse", "sse"),
            ("websocket", "ws"),
        ):
            await console.connect(bearer, door, url=f"{other.origin}/{path}")
            await console.state("Connected")
            await console.choose("add")
            await console.call(a="40", b="2")
            await console.result("42")
            await console.page.get_by_role("button", name="Disconnect").click()
            await console.state("Not connected")


async def test_another_origin_that_does_not_is_told_of(
    page: Page, console_desk: Desk, site: Served, bearer: str, tmp_path: Path
) -> None:
    with daphne(
        APPLICATION, tmp_path / "other.log", environ=console_desk.environ
    ) as other:
        console = Console(page, site.origin)
        await console.open()
        await console.connect(bearer, url=f"{other.origin}/mcp")
        alert = page.locator("[data-problem]")
        await expect(alert).to_contain_text(f"let pages of {site.origin} in")


async def test_a_cut_line_is_seen_and_mended(
    page: Page, console_desk: Desk, site: Served, bearer: str, tmp_path: Path
) -> None:
    environ = {**console_desk.environ, "DESK_PAGES": site.origin}
    with daphne(APPLICATION, tmp_path / "other.log", environ=environ) as other:
        async with line_to(other.port) as line:
            console = Console(page, site.origin)
            await console.open("#tool/add")
            await console.connect(bearer, "websocket", url=f"{line.origin}/ws")
            await console.state("Connected")
            line.is_down = True
            await line.cut()
            await console.state("Reconnecting")
            await expect(page.locator(".mcp-activity")).to_contain_text(
                "The connection broke"
            )
            line.is_down = False
            await console.state("Connected")
            await console.call(a="1", b="1")
            await console.result("2")


async def test_the_token_is_kept_only_where_that_was_ticked(
    console: Console, bearer: str
) -> None:
    page = console.page
    await console.connect(bearer)
    await console.state("Connected")
    assert await page.evaluate(ALL_STORED) == "{}{}"
    assert bearer not in page.url
    assert bearer not in await page.locator(".mcp-wire").inner_text()
    await page.reload()
    token = page.get_by_label("Token", exact=True)
    await expect(token).to_have_value("")
    await page.get_by_label("Keep it until this tab is closed").check()
    await console.connect(bearer)
    await console.state("Connected")
    await page.reload()
    await expect(token).to_have_value(bearer)
    await page.get_by_label("Keep it until this tab is closed").uncheck()
    await console.connect(bearer)
    await console.state("Connected")
    assert await page.evaluate(ALL_STORED) == "{}{}"


ALL_STORED = "JSON.stringify(sessionStorage) + JSON.stringify(localStorage)"


async def test_without_storage_it_works_all_the_same(
    console: Console, bearer: str
) -> None:
    await console.page.add_init_script(NO_STORAGE)
    await console.open()
    await console.page.get_by_label("Keep it until this tab is closed").check()
    await console.connect(bearer)
    await console.state("Connected")
    await console.page.get_by_role("button", name="Theme: auto").click()
    await expect(console.page.get_by_role("button", name="Theme: dark")).to_be_visible()


# As where the browser was told to keep nothing of any site.
NO_STORAGE = """for (const name of ["localStorage", "sessionStorage"]) {
  const refuse = () => { throw new DOMException("no storage", "SecurityError"); };
  Object.defineProperty(window, name, { get: refuse });
}"""


async def test_a_token_that_is_refused_is_said_so(console: Console) -> None:
    await console.connect("mcp_wrong")
    alert = console.page.locator("[data-problem]")
    await expect(alert).to_have_text("The token is not valid.")
    await console.state("Not connected")


async def test_copies_hold_the_token_only_where_that_was_ticked(
    console: Console, bearer: str
) -> None:
    page = console.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await console.connect(bearer)
    await console.choose("add")
    await console.call(a="1", b="2")
    await console.result("3")
    entry = page.locator(".mcp-wire li").filter(has_text="tools/call").first
    await entry.locator("summary").click()

    async def curl() -> str:
        await entry.get_by_role("button", name="Copy as curl").click()
        await expect(entry.get_by_text("Copied")).to_be_visible()
        await expect(entry.get_by_text("Copied")).to_have_count(0)
        copied: str = await page.evaluate("navigator.clipboard.readText()")
        return copied

    first = await curl()
    assert first.startswith(f"curl -sS -N {console.origin}/mcp")
    assert '-H "Authorization: Bearer $MCP_TOKEN"' in first
    assert bearer not in first
    await page.get_by_label("Put my token in copies as curl").check()
    assert f"-H 'Authorization: Bearer {bearer}'" in await curl()

    await page.get_by_role("button", name="Configuration").click()
    dialog = page.get_by_role("dialog", name="Connect another client")
    await expect(dialog).to_contain_text("Bearer ${env:MCP_TOKEN}")
    assert bearer not in await dialog.inner_text()
    await dialog.get_by_label(re.compile("Put my token in")).check()
    await expect(dialog).to_contain_text(bearer)


async def test_changes_are_seen_as_they_happen(console: Console, bearer: str) -> None:
    page = console.page
    await console.connect(bearer)
    counter = page.locator('.mcp-list a[href="#tool/counter"]')
    await console.choose("toggle")
    await console.call()
    await console.result("opened")
    await expect(counter).to_have_count(1)
    await page.evaluate("location.hash = '#tool/counter'")
    await expect(page.locator(".mcp-panel h2")).to_have_text("counter")
    await page.evaluate(TOGGLE, [console.origin, bearer])
    await expect(counter).to_have_count(0)
    await expect(page.locator("[data-part=missing]")).to_be_visible()

    await page.get_by_role("tab", name="Resources").click()
    await console.choose("Stock")
    await page.get_by_role("button", name="Subscribe").click()
    await expect(page.get_by_role("button", name="Unsubscribe")).to_be_visible()
    await page.evaluate("location.hash = '#tool/restock'")
    await console.call()
    await console.result("restocked")
    await expect(page.locator(".mcp-activity")).to_contain_text("resources/updated")
    await page.evaluate("location.hash = '#resource/desk%3A%2F%2Fstock'")
    await console.result("pens")


# As another client would.
TOGGLE = """async ([origin, token]) => {
  const { Client } = await import("/static/mcp_transport/client.js");
  const client = await Client.connect(`${origin}/mcp`, { token });
  await client.callTool("toggle");
  await client.close();
}"""


async def test_prompts_and_templates_are_filled_in(
    console: Console, bearer: str
) -> None:
    page = console.page
    await console.connect(bearer)
    await page.get_by_role("tab", name="Prompts").click()
    await console.choose("letter")
    await page.get_by_label("customer").fill("Ada")
    tone = page.get_by_label("tone")
    await tone.fill("f")
    options = page.locator("datalist option")
    await expect(options).to_have_count(2)
    assert await options.evaluate_all("all => all.map(one => one.value)") == [
        "firm",
        "funny",
    ]
    await tone.fill("funny")
    await tone.press("Enter")
    await console.result("Write a funny letter to Ada.")
    await page.get_by_role("tab", name="Templates").click()
    await console.choose("drawer")
    await console.call(number="7")
    await console.result('{"number":7}')


async def test_an_address_leads_to_an_entry(console: Console, bearer: str) -> None:
    page = console.page
    await console.open("#tool/count")
    await console.connect(bearer)
    await expect(page.locator(".mcp-panel h2")).to_have_text("count")
    await page.evaluate("location.hash = '#tool/nothing'")
    await expect(page.locator("[data-part=missing]")).to_be_visible()
    # A resource of a template is not listed.
    await page.evaluate("location.hash = '#resource/desk%3A%2F%2Fdrawers%2F9'")
    await console.call()
    await console.result('{"number":9}')


async def test_light_and_dark_can_be_chosen_and_stay(console: Console) -> None:
    page = console.page
    await page.emulate_media(color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light: Any = await page.evaluate(background)
    await page.get_by_role("button", name="Theme: auto").click()
    dark: Any = await page.evaluate(background)
    assert dark != light
    await page.reload()
    await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert await page.evaluate(background) == dark
