"""Tickets at the site itself: two processes of daphne, with one Redis between them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from deploy.servers import Redis
from mcp_transport.protocol.revisions import LATEST
from tests.serving import ROOT, Served, daphnes, redis_server
from tests.websocket.client import BOUND_S, connected, opened
from tests.websocket.peer import call
from tests.websocket.test_daphne import ended, heard

NO_HEADERS: dict[str, str] = {}


@dataclass(frozen=True)
class Site:
    """The processes that serve it, and its command line."""

    served: list[Served]
    redis: Redis
    environ: dict[str, str]

    def run(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT,
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout

    def token(self, name: str) -> str:
        create = ("mcp", "tokens", "create", name, "--user", "admin", "--scope", "*")
        return self.run(*create).strip()

    def revoke(self, token: str) -> None:
        self.run("mcp", "tokens", "revoke", token.split("_")[1])

    def ask(self, token: str, at: int = 0) -> httpx.Response:
        return httpx.post(
            f"{self.served[at].origin}/api/tickets/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=BOUND_S,
        )

    def ticket(self, token: str, at: int = 0) -> str:
        response = self.ask(token, at)
        assert response.status_code == 201, response.text
        subprotocol: str = response.json()["subprotocol"]
        return subprotocol


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("tickets")
    with redis_server(directory) as redis:
        environ = {
            "DJANGO_SETTINGS_MODULE": "mcpsite.settings",
            "MCPSITE_VAR_DIR": str(directory / "var"),
            "MCP_STORE": redis.url,
        }
        Site([], redis, environ).run("firststart")
        application = "mcpsite.asgi:application"
        with daphnes(2, application, directory, environ=environ) as served:
            yield Site(served, redis, environ)


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    return site.token("tickets")


async def turned_away(served: Served, *offered: str, **headers: str) -> int:
    """Return the code that a client is told after it was accepted."""
    async with opened(
        served, subprotocols=["mcp", *offered], headers=headers
    ) as socket:
        assert socket.subprotocol == "mcp"
        return await ended(socket)


async def let_in(served: Served, *offered: str, **headers: str) -> bool:
    subprotocols = ["mcp", *offered]
    async with connected(
        served, LATEST, subprotocols=subprotocols, headers=headers
    ) as client:
        return "search_docs" in [tool["name"] for tool in await client.list_tools()]


def test_the_site_is_set_up_for_them(site: Site) -> None:
    assert site.run("check") == "System check identified no issues (0 silenced).\n"


@pytest.mark.parametrize("at", [0, 1])
async def test_a_ticket_opens_one_connection_at_any_process(
    site: Site, token: str, at: int
) -> None:
    ticket = site.ticket(token)
    assert await let_in(site.served[at], ticket)
    for served in site.served:
        assert await turned_away(served, ticket) == 4401


async def test_a_ticket_that_is_wrong_opens_none(site: Site, token: str) -> None:
    served, ticket, other = site.served[0], site.ticket(token), site.ticket(token)
    assert await turned_away(served, ticket[:-2] + "AA") == 4401
    assert await turned_away(served, "ticket-") == 4401
    assert await turned_away(served, ticket, other) == 4401
    assert await let_in(served, ticket)


async def test_the_header_then_the_token_then_the_ticket_counts(
    site: Site, token: str
) -> None:
    served, ticket = site.served[0], site.ticket(token)
    assert await turned_away(served, ticket, Authorization="Bearer wrong") == 4401
    assert await turned_away(served, "token-wrong", ticket) == 4401
    assert await turned_away(served, ticket, "token-wrong") == 4401
    assert await let_in(served, "ticket-wrong", f"token-{token}")
    assert await let_in(served, "ticket-wrong", Authorization=f"Bearer {token}")
    # It was not spent by any of them.
    assert await let_in(served, ticket)


async def test_a_query_string_is_not_looked_at(site: Site, token: str) -> None:
    ticket = site.ticket(token)
    path = f"/ws?ticket={ticket.removeprefix('ticket-')}&token={token}"
    async with opened(site.served[0], path=path, headers=NO_HEADERS) as socket:
        assert await ended(socket) == 4401


async def test_a_ticket_of_a_revoked_token_opens_none(site: Site) -> None:
    token = site.token("lost")
    early = site.ticket(token)
    site.revoke(token)
    # The process that issued it remembers the token for five seconds; the other
    # has never seen it.
    assert await turned_away(site.served[1], early) == 4401


async def test_an_open_connection_ends_with_its_token(site: Site) -> None:
    token = site.token("old")
    served = site.served[1]
    ticket = site.ticket(token, 0)
    async with opened(
        served, subprotocols=["mcp", ticket], headers=NO_HEADERS
    ) as socket:
        await socket.send(call("search_docs", query="token"))
        assert "result" in json.loads(await heard(socket))
        site.revoke(token)
        assert await _until_closed(socket) == 4401


async def _until_closed(socket: Any) -> int:
    """Go on asking, for longer than a token is remembered; return the close code."""
    try:
        for id in range(100):
            await socket.send(call("search_docs", id, query="token"))
            await heard(socket)
            await asyncio.sleep(0.1)
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code
    raise AssertionError("the connection outlived its token")


async def test_a_user_gets_one_by_session_and_csrf(site: Site) -> None:
    password = (
        "from django.contrib.auth.models import User; "
        "user = User.objects.get(username='admin'); "
        "user.set_password('pass'); user.save()"
    )
    site.run("shell", "-c", password)
    assert await let_in(site.served[1], ticket_of_admin(site))


def ticket_of_admin(site: Site) -> str:
    """Log in as a browser does, and ask for a ticket."""
    with httpx.Client(base_url=site.served[0].origin, timeout=BOUND_S) as client:
        client.get("/admin/login/")
        form = {
            "username": "admin",
            "password": "pass",
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
            "next": "/",
        }
        assert client.post("/admin/login/", data=form).status_code == 302
        assert client.post("/api/tickets/").status_code == 403
        headers = {"X-CSRFToken": client.cookies["csrftoken"]}
        response = client.post("/api/tickets/", headers=headers)
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    subprotocol: str = response.json()["subprotocol"]
    return subprotocol


async def test_while_redis_is_away_none_is_redeemed(site: Site, token: str) -> None:
    ticket = site.ticket(token)
    site.redis.kill()
    assert await turned_away(site.served[0], ticket) == 4500
    site.redis.restart()
    assert await let_in(site.served[0], ticket)


def test_no_ticket_and_no_token_is_in_the_logs(site: Site, token: str) -> None:
    ticket = site.ticket(token)
    for served in site.served:
        assert token not in served.said()
        assert ticket not in served.said()
