"""Chromium for all tests of a session, a page of another origin, and the desk that
it calls: a database with a user and a token, behind stock daphne and
``manage.py mcp serve``.

Playwright's objects live on one event loop, that of the session: what uses them runs
there.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    async_playwright,
    expect,
)

from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.browser.line import Line, line_to
from tests.browser.pages import served_pages
from tests.serving import ROOT, Served, daphne, mcp_serve

CHROMIUM = "/usr/bin/chromium"
HERE = Path(__file__).parent
BOUND_MS = 30_000
# How long a program may take, which may wait for several things.
BOUND_S = 120
APPLICATION = "tests.browser.asgi:application"
expect.set_options(timeout=BOUND_MS)
# The eras, for a client that is quick to come back.
SESSION = {"revision": LATEST_STATEFUL.name, "backoff": {"firstMs": 100}}
NO_SESSION = {"revision": LATEST.name, "backoff": {"firstMs": 100}}
CREATE_USER = (
    "from django.contrib.auth.models import User; User.objects.create_user('ada')"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_session = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(on_session, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # A container has neither the right to make sandboxes nor memory to share.
        launched = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser_context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Cookies and storage of its own for each test."""
    context = await browser.new_context()
    context.set_default_timeout(BOUND_MS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser_context: BrowserContext) -> Page:
    return await browser_context.new_page()


@pytest.fixture(scope="session")
def pages() -> Iterator[str]:
    """The origin of pages that are not the server's own."""
    with served_pages() as origin:
        yield origin


@dataclass(frozen=True)
class Desk:
    """The project that pages call, and its command line."""

    environ: dict[str, str]

    def manage(self, *arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def token(self, name: str) -> str:
        create = ("mcp", "tokens", "create", name, "--user=ada", "--scope=*")
        return self.manage(*create)

    def revoke(self, token: str) -> None:
        self.manage("mcp", "tokens", "revoke", token.split("_")[1])


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, pages: str) -> Desk:
    made = Desk(
        {
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "DESK_DATABASE": str(tmp_path_factory.mktemp("desk") / "db.sqlite3"),
            "DESK_PAGES": pages,
        }
    )
    made.manage("migrate", "--verbosity=0")
    made.manage("shell", "--verbosity=0", "--command", CREATE_USER)
    return made


@pytest.fixture(scope="session")
def token(desk: Desk) -> str:
    return desk.token("pages")


@pytest.fixture(scope="session", params=["daphne", "mcp serve"])
def served(
    request: pytest.FixtureRequest,
    desk: Desk,
    token: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """The desk, by each of the two servers in turn."""
    serve = {"daphne": daphne, "mcp serve": mcp_serve}[request.param]
    log = tmp_path_factory.mktemp("served") / "server.log"
    with serve(APPLICATION, log, environ=desk.environ) as server:
        yield server
        assert "Traceback" not in server.said()
        assert token not in server.said()


@pytest.fixture(scope="session")
def steady(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The desk at a server that all may use whose lines break, or whose tokens end."""
    log = tmp_path_factory.mktemp("steady") / "server.log"
    with mcp_serve(APPLICATION, log, environ=desk.environ) as server:
        yield server


@pytest.fixture
def mortal(desk: Desk, tmp_path: Path) -> Iterator[Served]:
    """The desk at a server of the test's own, to be stopped and started."""
    log = tmp_path / "server.log"
    with mcp_serve(APPLICATION, log, environ=desk.environ) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def line(steady: Served) -> AsyncIterator[Line]:
    """The line to ``steady``."""
    async with line_to(steady.port) as laid:
        yield laid


class Visitor:
    """A page with the client in it. What runs there is JavaScript; see recorder.js."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def js(self, program: str, *args: Any) -> Any:
        """Run the body of an async function of ``args``; give what it returns."""
        async with asyncio.timeout(BOUND_S):
            return await self.page.evaluate(
                f"async (args) => {{ {program} }}", list(args)
            )

    async def connect(self, url: str, **options: Any) -> Any:
        """Connect; give what it came to: ``value`` or ``error``."""
        return await self.js("return await outcome(connect(...args))", url, options)

    async def connected(self, url: str, **options: Any) -> None:
        """Connect, which has to succeed."""
        came = await self.connect(url, **options)
        assert "error" not in came, came

    async def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool; give the text that it answers with."""
        program = "return (await client.callTool(...args)).content[0].text"
        return await self.js(program, tool, arguments)

    async def until_told(self, tool: str, text: str) -> None:
        """Call a tool until it tells of ``text`` among others."""
        async with asyncio.timeout(BOUND_S):
            while text not in await self.call(tool):
                pass

    async def until(self, condition: str, *args: Any) -> None:
        """Wait until an expression of ``args`` is true in the page."""
        await self.page.wait_for_function(f"(args) => {condition}", arg=list(args))

    async def heard(self, what: str) -> Any:
        return await self.js("return heard[args[0]]", what)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(page: Page, pages: str) -> AsyncIterator[Visitor]:
    await page.goto(f"{pages}/index.html")
    await page.wait_for_function("() => window.ready")
    visiting = Visitor(page)
    yield visiting
    # Nothing may fail unheard; a page that is gone says nothing more.
    if not page.is_closed():
        assert await visiting.heard("errors") == []


def issue_ticket(server: Served, token: str) -> str:
    response = httpx.post(
        f"{server.origin}/api/tickets/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert response.status_code == 201, response.text
    ticket: str = response.json()["ticket"]
    return ticket
