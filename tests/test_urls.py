from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.test import AsyncClient, override_settings
from django.urls import include, path, resolve, reverse

from mcp_transport.asgi import Application
from mcp_transport.endpoint import endpoint
from tests.rawasgi import ask, message
from tests.wire.conftest import MCP

# The middleware of a project that asks everybody to log in. The tests reach no
# database, so that whoever looks for a session or a user fails them.
SITE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PATHS = ["/mcp", "/mcp/"]

urlpatterns = [path("deeper/api/", include("mcp_transport.urls"))]


@pytest.fixture
def site() -> Iterator[Application]:
    with override_settings(MIDDLEWARE=SITE, ROOT_URLCONF="tests.wire.urls", MCP=MCP):
        yield get_asgi_application()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("append_slash", [True, False])
async def test_the_middleware_of_a_site_does_not_get_in_the_way(
    site: Application, path: str, append_slash: bool
) -> None:
    with override_settings(APPEND_SLASH=append_slash):
        answer = await ask(site, path=path)
        refused = await ask(site, path=path, headers={"authorization": None})
        options = await ask(site, b"", path=path, method="OPTIONS")
    assert (answer.status, answer.values("location")) == (200, [])
    assert "tools" in answer.json()["result"]
    assert answer.values("content-length") == [str(len(answer.body))]
    assert answer.values("set-cookie") == []
    assert (refused.status, refused.values("location")) == (401, [])
    assert refused.values("www-authenticate") == ['Bearer realm="mcp"']
    assert (options.status, options.values("location")) == (204, [])


@pytest.mark.django_db(transaction=True)
async def test_who_is_logged_in_at_the_site_still_needs_a_token(
    site: Application,
) -> None:
    browser = AsyncClient()
    await browser.aforce_login(await User.objects.acreate_user("ada"))
    cookie = {"cookie": browser.cookies.output(header="", sep=";").strip()}
    assert "sessionid=" in cookie["cookie"]
    alone = await ask(site, headers={**cookie, "authorization": None})
    assert (alone.status, alone.values("location")) == (401, [])
    assert (await ask(site, headers=cookie)).status == 200


async def test_a_long_reply_is_compressed_once(site: Application) -> None:
    answer = await ask(site, headers={"accept-encoding": "gzip"})
    assert answer.values("content-encoding") == ["gzip"]
    assert "tools" in json.loads(gzip.decompress(answer.body))["result"]


async def test_a_stream_is_not_compressed(site: Application) -> None:
    talk = {"name": "talk", "arguments": {"steps": 200}}
    answer = await ask(
        site,
        message("tools/call", talk, progressToken="one"),
        headers={
            "accept-encoding": "gzip",
            "mcp-method": "tools/call",
            "mcp-name": "talk",
        },
    )
    assert answer.values("content-type") == ["text/event-stream"]
    assert answer.values("content-encoding") == ["identity"]
    assert len(answer.body) > 1024
    last = answer.body.decode().strip().rpartition("data: ")[2]
    assert json.loads(last)["result"]["resultType"] == "complete"


@pytest.mark.parametrize("path", ["/mcpx", "/mcp//", "/mcp/x", "/MCP", "/"])
async def test_no_other_path_is_served(site: Application, path: str) -> None:
    assert (await ask(site, path=path)).status == 404


def test_the_name_of_the_endpoint() -> None:
    with override_settings(ROOT_URLCONF="tests.wire.urls"):
        assert reverse("mcp_transport:endpoint") == "/mcp"
        assert resolve("/mcp").func is resolve("/mcp/").func is endpoint


@pytest.mark.parametrize("path", ["/deeper/api/mcp", "/deeper/api/mcp/"])
async def test_it_may_stand_under_any_prefix(path: str) -> None:
    with override_settings(ROOT_URLCONF="tests.test_urls", MIDDLEWARE=SITE, MCP=MCP):
        assert (await ask(get_asgi_application(), path=path)).status == 200
