from __future__ import annotations

from typing import Any

import pytest
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from mcp_transport.asgi import mount
from mcp_transport.conf import get_server
from mcp_transport.engine.observing import Observer
from tests.rawasgi import LIST, ask
from tests.wire.conftest import MCP

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def configured() -> Any:
    with override_settings(MCP=MCP):
        yield


class Drained(Observer):
    times = 0

    async def drain(self) -> None:
        self.times += 1


async def beside(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the project's own application."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_both_spellings_are_served_without_a_redirect(path: str) -> None:
    answer = await ask(mount(beside), path=path)
    assert (answer.status, answer.values("location")) == (200, [])
    assert "tools" in answer.json()["result"]


@pytest.mark.parametrize(
    "path", ["/", "", "/mcpx", "/mcp//", "/mcp/x", "/MCP", "//mcp", "/x/mcp", "mcp"]
)
async def test_every_other_path_goes_to_the_application(path: str) -> None:
    answer = await ask(mount(beside), path=path)
    assert (answer.status, answer.body.decode()) == (418, path)


@pytest.mark.parametrize(
    ("mounted", "path", "status"),
    [
        ("/api/mcp", "/api/mcp", 200),
        ("/api/mcp", "/api/mcp/", 200),
        ("/api/mcp/", "/api/mcp", 200),
        ("/api/mcp/", "/api/mcp/", 200),
        ("/api/mcp", "/mcp", 418),
        ("/", "/", 200),
        ("/", "/mcp", 418),
    ],
)
async def test_it_may_stand_anywhere(mounted: str, path: str, status: int) -> None:
    assert (await ask(mount(beside, mounted), path=path)).status == status


@pytest.mark.parametrize(
    ("root", "path", "status"),
    [
        ("/app", "/app/mcp", 200),
        ("/app", "/app/mcp/", 200),
        # Some servers leave the root out of the path.
        ("/app", "/mcp", 200),
        ("/app", "/app/app/mcp", 418),
        ("/app", "/other/mcp", 418),
        ("", "/app/mcp", 418),
    ],
)
async def test_the_root_of_the_application_is_not_of_the_path(
    root: str, path: str, status: int
) -> None:
    answer = await ask(mount(beside), path=path, root_path=root)
    assert answer.status == status


async def test_a_scope_without_a_root_is_served() -> None:
    async def rootless(scope: Any, receive: Any, send: Any) -> None:
        del scope["root_path"]
        await mount(beside)(scope, receive, send)

    assert (await ask(rootless)).status == 200


@pytest.mark.parametrize(
    "scope",
    [{"type": "websocket", "path": "/mcp"}, {"type": "lifespan"}, {"type": "other"}],
)
async def test_what_is_no_request_goes_to_the_application_as_it_came(
    scope: dict[str, Any],
) -> None:
    got: list[Any] = []

    async def keeping(*arguments: Any) -> None:
        got.append(arguments)

    receive, send = object(), object()
    await mount(keeping)(scope, receive, send)
    assert got == [(scope, receive, send)]
    assert got[0][0] is scope


async def test_beside_django_observers_are_drained_before_the_process_ends() -> None:
    said = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": next(said)}

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])

    with override_settings(MCP={**MCP, "OBSERVERS": ["tests.test_asgi.Drained"]}):
        await mount(get_asgi_application())({"type": "lifespan"}, receive, send)
        (observer,) = get_server().observers
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert observer.times == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(("over", "status"), [(0, 200), (1, 413)])
async def test_the_largest_body_is_that_of_the_settings(over: int, status: int) -> None:
    with override_settings(MCP={**MCP, "MAX_BODY_BYTES": len(LIST)}):
        answer = await ask(mount(beside), LIST + b" " * over)
    assert answer.status == status


def test_wrong_settings_are_said_at_the_start() -> None:
    with (
        override_settings(MCP={"MAX_BODY_BYTES": 0}),
        pytest.raises(ImproperlyConfigured, match="MAX_BODY_BYTES"),
    ):
        mount(beside)
