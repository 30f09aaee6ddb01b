"""The dashboard in Chromium, beside clients that are really connected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from mcp_transport.engine.presence import session_handle
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from tests.serving import Served
from tests.siteproject import SiteProject

CHROMIUM = "/usr/bin/chromium"
BOUND_S = 30
PAGE = "/admin/tools_app/dashboard/"
ACCEPT = "application/json, text/event-stream"
expect.set_options(timeout=BOUND_S * 1000)
PHONE: ViewportSize = {"width": 360, "height": 740}
PEOPLE = """
from django.contrib.auth.models import Permission, User
User.objects.create_user("ada")
sam = User.objects.create_user("sam", password="secret", is_staff=True)
ours = Permission.objects.filter(content_type__app_label="tools_app")
sam.user_permissions.set(ours.filter(codename__in=["view_dashboard", "end_session"]))
"""
# A call that failed, and some that did not, as rows of the ledger.
CALLS = """
from tests.tools_app.ledger.calls import add_calls, call
name = "count_all_orders_of_one_customer_by_status_and_month"
outcomes = ("ok", "ok", "ok", "tool_error")
add_calls(call(name=name, outcome=outcome) for outcome in outcomes)
"""


@dataclass(frozen=True)
class Site:
    server: Served
    token: str

    def client(self, session: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": ACCEPT}
        if session is not None:
            headers["Mcp-Session-Id"] = session
        return httpx.Client(
            base_url=self.server.origin, headers=headers, timeout=BOUND_S
        )

    def begin_session(self) -> str:
        params = {
            "protocolVersion": LATEST_STATEFUL.name,
            "capabilities": {},
            "clientInfo": {"name": "lighthouse", "version": "7"},
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        with self.client() as http:
            return http.post("/mcp", json=message).headers["mcp-session-id"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    project = SiteProject(tmp_path_factory.mktemp("site"), PEOPLE, CALLS)
    token = project.create_token("laptop", "ada")
    with project.served() as server:
        yield Site(server, token)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A container has neither the right to make sandboxes nor memory to share.
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """The dashboard, and nothing that the browser has against it."""
    with browser.new_context() as context:
        context.set_default_timeout(BOUND_S * 1000)
        page = context.new_page()
        page.goto(f"{site.server.origin}/admin/login/?next={PAGE}")
        page.get_by_label("Username").fill("sam")
        page.get_by_label("Password").fill("secret")
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{site.server.origin}{PAGE}")
        yield page
        assert complaints == []


def test_who_connects_appears_and_is_ended(page: Page, site: Site) -> None:
    """The page is not loaded again until the button is pressed."""
    expect(page.get_by_text("Nobody is connected.")).to_be_visible()
    session = site.begin_session()
    row = page.get_by_role("row").filter(has_text="lighthouse 7")
    expect(row).to_be_visible()
    expect(row).to_contain_text("laptop (ada)")
    expect(row).to_contain_text(LATEST_STATEFUL.name)
    row.get_by_role("button", name="End").click()
    handle = session_handle(session)
    expect(page.get_by_text(f"Ended: session {handle}.")).to_be_visible()
    expect(page.get_by_text("Nobody is connected.")).to_be_visible()
    with site.client(session) as http:
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        assert http.post("/mcp", json=ping).status_code == 404


def test_the_rows_keep_the_focus_as_they_are_refreshed(page: Page, site: Site) -> None:
    site.begin_session()
    button = page.get_by_role("button", name="End").first
    expect(button).to_be_visible()
    button.focus()
    with page.expect_response(lambda response: "/live/" in response.url):
        pass
    with page.expect_response(lambda response: "/live/" in response.url):
        pass
    expect(button).to_be_focused()


def test_whoever_is_logged_out_is_told_that_the_rows_are_old(
    page: Page, site: Site
) -> None:
    page.context.clear_cookies()
    expect(page.locator("#live-stopped")).to_be_visible()


def test_it_fits_a_phone_and_a_chart_can_be_read(page: Page, site: Site) -> None:
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == PHONE["width"]
    chart = page.get_by_role("img", name="Calls and errors")
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    assert 0 <= box["x"] < box["x"] + box["width"] <= PHONE["width"]
    bars = chart.locator("rect.done, rect.error")
    assert [bar.bounding_box() is not None for bar in bars.all()] == [True, True]
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("table", name="Calls and errors")).to_be_visible()
    page.get_by_role("link", name="1 hour").click()
    page.get_by_role("link", name="count_all_orders").first.click()
    expect(page.get_by_text("show all")).to_be_visible()
