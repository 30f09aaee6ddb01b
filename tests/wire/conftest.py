"""The endpoint under each mount, with its own settings."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.test import override_settings

from mcp_transport.asgi import Application, mount
from mcp_transport.conf import get_server
from mcp_transport.engine.threads import Threads
from tests.wire.client import Client
from tests.wire.doors import ASGIDoor
from tests.wire.settings import MCP as MCP

BASE_URL = "http://127.0.0.1"
MOUNTS: dict[str, Callable[[], Application]] = {
    "lean": lambda: mount(get_asgi_application()),
    "urls": get_asgi_application,
}

Opened = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture(params=MOUNTS)
def mounted(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def conf() -> dict[str, Any]:
    """What ``settings.MCP`` has over the usual; tests override this."""
    return {}


@pytest.fixture
def configured(conf: dict[str, Any]) -> Iterator[None]:
    """The settings of a project that serves the shelf."""
    with override_settings(MCP=MCP | conf, ROOT_URLCONF="tests.wire.urls"):
        yield
        run_sync = get_server().run_sync
        assert isinstance(run_sync, Threads)
        run_sync.close()


@pytest.fixture
def application(mounted: str, configured: None) -> Application:
    return MOUNTS[mounted]()


@pytest.fixture
async def http(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client that adds nothing of its own to what it is told to send."""
    door = ASGIDoor(application)
    async with httpx.AsyncClient(transport=door, base_url=BASE_URL) as http:
        http.headers.clear()
        yield http


@pytest.fixture
def opened(application: Application) -> Opened:
    """Connect a client: ``async with opened(revision) as client``."""

    @asynccontextmanager
    async def connected(revision: str, **options: Any) -> AsyncIterator[Client]:
        door = ASGIDoor(application)
        async with httpx.AsyncClient(transport=door, base_url=BASE_URL) as http:
            http.headers.clear()
            client = Client(http, revision, **options)
            await client.connect()
            yield client

    return connected


@pytest.fixture
def gate() -> str:
    """A word of its own for the call that a test holds."""
    return secrets.token_hex(8)
