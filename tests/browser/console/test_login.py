"""The console for who is logged in: a WebSocket, by a ticket for each connection."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from tests.browser.console.conftest import Console

RESTARTS = 1012


async def log_in(console: Console) -> None:
    """Log in, and choose to be who that is."""
    page = console.page
    await page.goto(f"{console.origin}/admin/login/?next=/console/")
    await page.get_by_label("Username").fill("grace")
    await page.get_by_label("Password").fill("hopper")
    await page.keyboard.press("Enter")
    await page.get_by_label("grace, by my login here").check()


async def connect(console: Console) -> None:
    await console.page.get_by_role("button", name="Connect", exact=True).click()
    await console.state("Connected")


async def test_a_login_opens_a_websocket_by_a_ticket(console: Console) -> None:
    page = console.page
    await log_in(console)
    await expect(page.get_by_label("Door")).to_have_value("websocket")
    await expect(page.get_by_label("Token", exact=True)).to_be_hidden()
    await connect(console)
    await console.choose("add")
    await console.call(a="2", b="2")
    await console.result("4")


@pytest.mark.parametrize(
    ("status", "detail", "state"),
    [
        (403, "Nobody is logged in.", "Not connected"),
        (503, "Not at the moment.", "Reconnecting"),
    ],
)
async def test_what_a_refused_ticket_means_for_the_connection(
    console: Console, status: int, detail: str, state: str
) -> None:
    """A login that has ended ends it; a server that is busy is asked again."""
    page = console.page
    sockets: list[WebSocketRoute] = []

    def join(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, body=json.dumps({"detail": detail}))

    await page.route_web_socket("**/ws", join)
    await log_in(console)
    await connect(console)
    await page.route("**/api/tickets/", refuse)
    await sockets[-1].close(code=RESTARTS)
    await console.state(state)
    if state == "Not connected":
        await expect(page.locator("[data-problem]")).to_have_text(detail)
        return
    await page.unroute("**/api/tickets/")
    await console.state("Connected")
