"""What a browser is told, under each mount and beside a site's own CORS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from mcp_transport.asgi import Application
from mcp_transport.guards.cors import ALLOW_HEADERS
from tests.rawasgi import Answer, ask
from tests.wire.conftest import MCP, MOUNTS

HERE = "tests.test_cors"
PAGE = "https://app.example.com"
LATER = "https://later.example.com"
EVIL = "https://evil.example"
ALLOWED = "access-control-allow-origin"


class Later:
    """Knows of one origin that the settings do not have."""

    async def current(self) -> list[str]:
        return [LATER]


SETTINGS: dict[str, Any] = {
    "MIDDLEWARE": [],
    "ROOT_URLCONF": "tests.wire.urls",
    "MCP": {
        **MCP,
        "ALLOWED_ORIGINS": [PAGE],
        "ORIGINS": f"{HERE}.Later",
        "MIDDLEWARE": ["mcp_transport.cors.CorsMiddleware"],
    },
}
# What a site may allow to others, at other paths.
ELSEWHERE: dict[str, Any] = {
    "CORS_ALLOW_ALL_ORIGINS": True,
    "CORS_ALLOW_HEADERS": ["x-other"],
    "CORS_ALLOW_METHODS": ["PUT"],
    "CORS_EXPOSE_HEADERS": ["x-other"],
    "CORS_URLS_REGEX": "^/api/",
}


@pytest.fixture(params=MOUNTS)
def mounted(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[{}, ELSEWHERE], ids=["alone", "beside"])
def application(mounted: str, request: pytest.FixtureRequest) -> Iterator[Application]:
    with override_settings(**{**SETTINGS, **request.param}):
        yield MOUNTS[mounted]()


async def preflight(application: Application, origin: str, asked: str) -> Answer:
    return await ask(
        application,
        b"",
        method="OPTIONS",
        headers={
            "authorization": None,
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": asked,
        },
    )


@pytest.mark.parametrize("origin", [PAGE, LATER])
async def test_a_preflight_allows_what_the_protocol_needs(
    application: Application, origin: str
) -> None:
    answer = await preflight(application, origin, "authorization,mcp-session-id")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.values(ALLOWED) == [origin]
    (headers,) = answer.values("access-control-allow-headers")
    assert headers == ", ".join(ALLOW_HEADERS)
    (methods,) = answer.values("access-control-allow-methods")
    assert methods == "DELETE, GET, OPTIONS, POST"
    assert answer.values("vary") == ["origin"]


async def test_a_preflight_allows_the_arguments_that_tools_have_as_headers(
    application: Application,
) -> None:
    asked = "authorization, mcp-param-region,x-evil, mcp-param-, mcp-param-tenant-id"
    answer = await preflight(application, PAGE, asked)
    (headers,) = answer.values("access-control-allow-headers")
    assert headers == ", ".join(
        [*ALLOW_HEADERS, "mcp-param-region", "mcp-param-tenant-id"]
    )


@pytest.mark.parametrize("origin", [EVIL, "null", f"{PAGE}/", f"{PAGE}, {PAGE}"])
async def test_any_other_page_is_told_nothing(
    application: Application, origin: str
) -> None:
    for answer in (
        await preflight(application, origin, "authorization"),
        await ask(application, headers={"origin": origin}),
    ):
        assert answer.status == 403
        told = [name for name, _ in answer.headers if name.startswith("access-control")]
        assert told == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"authorization": None}, 401), ({"host": "evil.example"}, 403)],
)
@pytest.mark.parametrize("origin", [PAGE, LATER])
async def test_a_page_may_read_every_reply(
    application: Application, origin: str, headers: dict[str, str | None], status: int
) -> None:
    answer = await ask(application, headers={"origin": origin, **headers})
    assert answer.status == status
    assert answer.values(ALLOWED) == [origin]
    (exposed,) = answer.values("access-control-expose-headers")
    assert exposed == "mcp-session-id, retry-after, www-authenticate"


async def test_who_is_no_page_is_told_nothing_of_origins(
    application: Application,
) -> None:
    answer = await ask(application)
    assert answer.status == 200
    assert answer.values(ALLOWED) == []
