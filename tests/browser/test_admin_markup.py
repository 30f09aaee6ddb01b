"""Whatever strangers and administrators write is text on every page that shows it.

A client chooses its name, what it calls and with what; an administrator the names of
tokens and entries. All of them write markup here.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.site import Site, log_in
from tests.serving import Served
from tests.siteproject import SiteProject

# Leaves whatever it may stand in: an attribute, an element, a script, a template.
MARK = "data-evil"
EVIL = (
    f"\"'></title></textarea></script><img {MARK} src=x onerror=alert(1)>"
    f"<a {MARK} href=javascript:alert(1)>{{{{ 7|add:7 }}}}</a>"
)
PEOPLE = f"""
from django.contrib.auth.models import User
from tools_app.models import AllowedOrigin, CatalogueEntry, Token
EVIL = {EVIL!r}
root = User.objects.create_superuser("root", password="secret", email="a@b.example")
evil = User.objects.create_user(EVIL[:150])
token, _ = Token.objects.issue(name=EVIL[:100], owner=evil, scopes=["*"], notes=EVIL)
token.revoke()
AllowedOrigin.objects.create(origin="https://a.example", note=EVIL[:200])
words = {{"title": EVIL, "description": EVIL}}
CatalogueEntry.objects.create(
    kind="resources", key="docs://evil", source="text", **words,
    spec={{"mime_type": "text/html", "text": EVIL}},
)
CatalogueEntry.objects.create(
    kind="prompts", key="evil", source="prompt", **words,
    spec={{
        "messages": [{{"role": "user", "text": "<b {MARK}> {{{{ __proto__ }}}}"}}],
        "arguments": [{{
            "name": "__proto__", "description": EVIL, "required": True, "values": ["a"],
        }}],
    }},
)
CatalogueEntry.objects.create(
    kind="tools", key="evil_kind", source=EVIL[:64], app_label=EVIL[:100], **words,
)
"""
PAGES = [
    "/admin/",
    "/admin/tools_app/token/",
    "/admin/tools_app/token/?q=%22%3E%3Cimg%20data-evil%3E",
    "/admin/tools_app/token/1/change/",
    "/admin/tools_app/token/1/history/",
    "/admin/tools_app/token/2/revoke/",
    "/admin/tools_app/token/2/rotate/",
    "/admin/tools_app/allowedorigin/",
    "/admin/tools_app/catalogueentry/",
    "/admin/tools_app/catalogueentry/?source=%22%3E%3Cimg%20data-evil%3E",
    "/admin/tools_app/catalogueentry/add/?source=%22%3E%3Cimg%20data-evil%3E",
    "/admin/tools_app/call/",
    "/admin/tools_app/dashboard/",
    "/admin/tools_app/dashboard/?tool=%22%3E%3Cimg%20data-evil%3E",
    "/admin/tools_app/inspector/?run_as=%22%3E%3Cimg%20data-evil%3E",
    "/admin/tools_app/inspector/?kind=%22%3E&key=%22%3E%3Cimg%20data-evil%3E",
    "/admin/tools_app/inspector/?run_as=token:nobody&key=%22%3E%3Cimg%20data-evil%3E",
    "/api/tokens/",
    "/api/catalogue/",
    "/api/catalogue/resources/docs%3A%2F%2Fevil/",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    project = SiteProject(tmp_path_factory.mktemp("markup"), PEOPLE)
    token = project.create_token("good", "root")
    with project.served() as server:
        yield Site(server, token, "")


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What ran, and what the browser kept from running. The pages that Django REST
    framework makes want styles of their own.
    """
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    page.on(
        "console",
        lambda message: (
            said.append(message.text)
            if "Content Security" in message.text and "style" not in message.text[:30]
            else None
        ),
    )
    return said


def stranger(server: Served, token: str) -> None:
    """Begin a session by a name, call things that are not there by another."""
    with httpx.Client(timeout=30) as client:

        def post(
            method: str, identifier: int | None, **params: object
        ) -> httpx.Response:
            message: dict[str, object] = {
                "jsonrpc": "2.0",
                "method": method,
                "params": params,
            }
            if identifier is not None:
                message["id"] = identifier
            return client.post(server.url, json=message)

        client.headers = httpx.Headers(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/json, text/event-stream",
                "User-Agent": EVIL,
            }
        )
        begun = post(
            "initialize",
            1,
            protocolVersion="2025-06-18",
            capabilities={},
            clientInfo={"name": EVIL, "version": EVIL, "__proto__": {"x": EVIL}},
        )
        assert begun.status_code == 200, begun.text
        client.headers["Mcp-Session-Id"] = begun.headers["Mcp-Session-Id"]
        client.headers["MCP-Protocol-Version"] = "2025-06-18"
        post("notifications/initialized", None)
        post("tools/call", 2, name=EVIL, arguments={EVIL: EVIL, "__proto__": EVIL})
        post("tools/call", 3, name="search_docs", arguments={"query": [EVIL]})
        post("resources/read", 4, uri=f"docs://{EVIL}")
        post("prompts/get", 5, name="evil", arguments={"__proto__": EVIL})


async def nothing_ran(page: Page, complaints: list[str]) -> None:
    assert await page.locator(f"[{MARK}]").count() == 0, page.url
    assert await page.locator('[href^="javascript:" i]').count() == 0, page.url
    assert complaints == [], page.url


async def test_no_page_of_the_admin_takes_it_for_markup(
    page: Page, site: Site, complaints: list[str]
) -> None:
    stranger(site.server, site.token)
    await log_in(page, site, "root")
    complaints.clear()
    shown = 0
    for path in PAGES:
        await page.goto(site.url(path))
        await nothing_ran(page, complaints)
        shown += MARK in await page.locator("body").inner_text()
    # Most pages had something to show.
    assert shown > len(PAGES) / 2
    for rows in ("catalogueentry", "call"):
        await page.goto(site.url(f"/admin/tools_app/{rows}/"))
        links = page.locator("#result_list th a")
        for address in [await one.get_attribute("href") for one in await links.all()]:
            await page.goto(site.url(str(address)))
            await nothing_ran(page, complaints)


async def test_nor_does_the_inspector_in_what_it_lists_and_runs(
    page: Page, site: Site, complaints: list[str]
) -> None:
    await log_in(page, site, "root")
    await page.goto(site.url("/admin/tools_app/token/2/change/"))
    complaints.clear()
    await page.get_by_role("link", name="Run as…").click()
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    for address in ("#resource/docs%3A%2F%2Fevil", "#prompt/evil"):
        await page.evaluate("address => { location.hash = address }", address)
        button = page.get_by_role("button", name="Read").or_(
            page.get_by_role("button", name="Get the prompt")
        )
        field = page.get_by_label("__proto__")
        if "prompt" in address:
            await field.fill(EVIL)
        await button.first.click()
        await expect(page.locator(".mcp-output")).to_contain_text(MARK)
        await nothing_ran(page, complaints)
    assert await page.evaluate("() => ({}).x === undefined")
