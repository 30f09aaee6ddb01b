"""The desk with the console, and the page in Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import APPLICATION, CREATE_USER, Desk
from tests.serving import Served, daphne

CREATE_STAFF = (
    "from django.contrib.auth.models import User;"
    "User.objects.create_superuser('grace', password='hopper')"
)
SETTINGS = "tests.browser.console.settings"


@dataclass
class Console:
    """The page, and what is done with it."""

    page: Page
    origin: str

    async def open(self, fragment: str = "") -> None:
        await self.page.goto(f"{self.origin}/console/{fragment}")

    async def connect(
        self,
        token: str,
        door: str = "streamable-http",
        revision: str = "auto",
        url: str | None = None,
    ) -> None:
        await self.page.get_by_label("Door").select_option(door)
        await self.page.get_by_label("Protocol revision").select_option(revision)
        if url is not None:
            await self.page.get_by_label("Address").fill(url)
        await self.page.get_by_label("Token", exact=True).fill(token)
        await self.page.get_by_role("button", name="Connect", exact=True).click()

    async def choose(self, name: str) -> None:
        await self.page.locator(".mcp-list a").filter(has_text=name).first.click()
        await expect(self.page.locator(".mcp-panel h2")).to_be_visible()

    async def call(self, **arguments: str) -> None:
        for name, value in arguments.items():
            await self.page.locator(".mcp-panel").get_by_label(name).fill(value)
        await self.page.locator(".mcp-panel [type=submit]").click()

    async def result(self, text: str) -> None:
        await expect(self.page.locator(".mcp-result")).to_contain_text(text)

    async def js(self, program: str, *args: Any) -> Any:
        """Run the body of an async function of ``args``; give what it returns.

        ``load(name)`` gives one of the console's modules.
        """
        load = "const load = (name) => import(`/static/mcp_transport/console/${name}`);"
        return await self.page.evaluate(
            f"async (args) => {{ {load} {program} }}", list(args)
        )

    async def state(self, text: str) -> None:
        await expect(self.page.locator(".mcp-state")).to_contain_text(text)


@pytest.fixture(scope="session")
def console_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    database = tmp_path_factory.mktemp("console") / "db.sqlite3"
    environ = {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "DESK_DATABASE": str(database),
        "DESK_PAGES": "https://nobody.example",
    }
    made = Desk(environ)
    made.manage("migrate", "--verbosity=0")
    for create in (CREATE_USER, CREATE_STAFF):
        made.manage("shell", "--verbosity=0", "--command", create)
    return made


@pytest.fixture(scope="session")
def bearer(console_desk: Desk) -> str:
    return console_desk.token("console")


@pytest.fixture(scope="session")
def site(
    console_desk: Desk, bearer: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The desk with the console, behind stock daphne."""
    log = tmp_path_factory.mktemp("site") / "daphne.log"
    with daphne(APPLICATION, log, environ=console_desk.environ) as server:
        yield server
        assert "Traceback" not in server.said()
        assert bearer not in server.said()


@pytest_asyncio.fixture(loop_scope="session")
async def console(page: Page, site: Served) -> AsyncIterator[Console]:
    async with opened(page, site) as console:
        yield console


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def parts(browser: Browser, site: Served) -> AsyncIterator[Console]:
    """One page for all tests of a module that put single parts on it."""
    context = await browser.new_context()
    async with opened(await context.new_page(), site) as console:
        yield console
    await context.close()


@asynccontextmanager
async def opened(page: Page, site: Served) -> AsyncIterator[Console]:
    """Open the console; nothing may go wrong unseen until it is left."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # A refusal that a test provokes is reported as a resource that failed.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    console = Console(page, site.origin)
    await console.open()
    yield console
    assert complaints == []
