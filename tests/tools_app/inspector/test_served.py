"""The inspector over real sockets, inside Django's own handler and middleware."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.serving import ROOT, Served, daphne
from tests.wire.client import ALL, LEGACY, MODERN, Client
from tests.wire.test_streams import calling

ADMIN = "/admin/tools_app/inspector/"
BOUND_S = 20
PEOPLE = """
from django.contrib.auth.models import Permission, User
ada = User.objects.create_user("ada")
sam = User.objects.create_user("sam", password="secret", is_staff=True)
sam.user_permissions.add(Permission.objects.get(codename="run_as"))
"""
LAST_TWO = """
from django.contrib.admin.models import LogEntry
for entry in LogEntry.objects.order_by("-pk")[:2]:
    print(entry.get_change_message())
"""
# The ledger writes in batches.
RUN = """
import time
from tools_app.models import Call
runs = Call.objects.filter(name="whoami", outcome="ok", actor="sam")
for _ in range(200):
    if runs.exists():
        break
    time.sleep(0.1)
print(runs[0].user, runs[0].token.name, runs[0].subject)
"""


@dataclass(frozen=True)
class Site:
    server: Served
    environ: dict[str, str]
    token: str

    @property
    def run_as(self) -> str:
        return f"token:{self.token.split('_')[1]}"

    def manage(self, *arguments: str) -> str:
        return manage(self.environ, *arguments)


def manage(environ: dict[str, str], *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.fixture(scope="module", params=["lean", "urls"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    here: Path = tmp_path_factory.mktemp("inspector")
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.tools_app.inspector.served.settings",
        "SERVED_DATABASE": str(here / "db.sqlite3"),
    }
    manage(environ, "migrate", "-v0")
    manage(environ, "shell", "-v0", "-c", PEOPLE)
    token = manage(
        environ, "mcp", "tokens", "create", "test", "--user=ada", "--scope=*"
    )
    application = f"tests.tools_app.inspector.served.asgi:{request.param}"
    with daphne(application, here / "daphne.log", environ=environ) as server:
        yield Site(server, environ, token)
        assert "Traceback" not in server.said()
        assert token not in server.said()


class InspectorClient(Client):
    """What the page of the inspector sends: cookies, the CSRF token and a name."""

    run_as: str

    async def log_in(self) -> None:
        page = await self.http.get("/admin/login/")
        form = {
            "csrfmiddlewaretoken": page.cookies["csrftoken"],
            "username": "sam",
            "password": "secret",
        }
        reply = await self.http.post("/admin/login/?next=/admin/", data=form)
        assert (reply.status_code, reply.headers["location"]) == (302, "/admin/")

    def headers(self, message: object = None) -> dict[str, str]:
        own = {
            "X-Run-As": self.run_as,
            "X-CSRFToken": self.http.cookies["csrftoken"],
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.http.cookies.items()),
        }
        return {**super().headers(message), **own}


@asynccontextmanager
async def inspecting(site: Site, revision: str) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=site.server.origin, timeout=BOUND_S) as http:
        client = InspectorClient(http, revision, token=None)
        client.run_as = site.run_as
        await client.log_in()
        http.base_url = httpx.URL(f"{site.server.origin}{ADMIN}")
        await client.connect()
        yield client


@asynccontextmanager
async def bearing(site: Site, revision: str) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=site.server.origin, timeout=BOUND_S) as http:
        client = Client(http, revision, token=site.token)
        await client.connect()
        yield client


@pytest.mark.parametrize("revision", ALL)
async def test_an_administrator_sees_what_the_bearer_sees(
    site: Site, revision: str
) -> None:
    async with inspecting(site, revision) as one, bearing(site, revision) as other:
        for method in ("tools/list", "resources/list", "prompts/list"):
            assert await one.result(method) == await other.result(method)
        said = (await one.call("whoami"))["content"][0]["text"]
        assert '"actor":"sam"' in said.replace(" ", "")


@pytest.mark.parametrize("revision", [LEGACY[-1], MODERN])
async def test_questions_are_answered(site: Site, revision: str) -> None:
    async with inspecting(site, revision) as client:
        assert await client.text("greet") == "Hello, Ada"


@pytest.mark.parametrize("revision", ALL)
async def test_progress_and_logs_arrive_as_they_are_made(
    site: Site, revision: str
) -> None:
    async with inspecting(site, revision) as client:
        if client.stateful:
            await client.result("logging/setLevel", {"level": "info"})
        async with client.open(calling(client, "brew", cups=2)) as reply:
            said = [message async for message in reply.messages()]
    methods = [message.get("method", "result") for message in said]
    assert methods == ["notifications/progress", "notifications/message"] * 2 + [
        "result"
    ]


async def test_each_run_of_a_batch_is_in_the_history(site: Site) -> None:
    async with inspecting(site, "2025-03-26") as client:
        resource = client.message("resources/read", {"uri": "shop://stock"})
        calls = [calling(client, "ring"), resource, client.message("ping")]
        assert (await client.send(calls)).status_code == 200
    said = site.manage("shell", "-v0", "-c", LAST_TWO).splitlines()
    assert [line.split(" as ")[0] for line in said] == [
        "Read the resource shop://stock",
        "Ran the tool ring",
    ]


async def test_a_run_is_in_the_ledger_under_the_administrators_name(
    site: Site,
) -> None:
    async with inspecting(site, MODERN) as client:
        await client.call("whoami")
    user, token, subject = site.manage("shell", "-v0", "-c", RUN).split()
    assert (user, token) == ("ada", "test")
    assert subject.startswith("inspector:") and subject.endswith(f":as:{site.run_as}")


async def test_who_goes_away_cancels(site: Site) -> None:
    async with inspecting(site, MODERN) as client:
        before = len((await client.call("waits"))["structuredContent"])
        async with client.open(calling(client, "wait")) as reply:
            assert (await reply.message())["params"]["progress"] == 1
        async with asyncio.timeout(BOUND_S):
            while True:
                ended = (await client.call("waits"))["structuredContent"]
                if len(ended) > before:
                    return


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_call_of_a_session_can_be_cancelled(site: Site, revision: str) -> None:
    async with inspecting(site, revision) as client:
        message = calling(client, "wait")
        async with client.open(message) as reply:
            assert (await reply.message())["params"]["progress"] == 1
            params = {"requestId": message["id"]}
            told = client.notification("notifications/cancelled", params)
            assert (await client.send(told)).status_code == 202
            assert await reply.event() is None


async def test_a_session_of_the_inspector_is_nobody_elses(site: Site) -> None:
    async with (
        inspecting(site, LEGACY[-1]) as one,
        bearing(site, LEGACY[-1]) as other,
    ):
        for client, session in ((one, other.session), (other, one.session)):
            message = client.message("tools/list")
            headers = {"Mcp-Session-Id": session}
            assert (await client.send(message, headers=headers)).status_code == 404


async def test_who_logs_out_loses_an_open_stream(site: Site) -> None:
    """A stream is looked at every few seconds."""
    async with inspecting(site, LEGACY[-1]) as client, client.stream() as reply:
        assert reply.is_stream
        form = {"csrfmiddlewaretoken": client.http.cookies["csrftoken"]}
        out = await client.http.post(f"{site.server.origin}/admin/logout/", data=form)
        assert out.status_code == 200
        async with asyncio.timeout(BOUND_S):
            while await reply.piece() is not None:
                pass
        assert (await client.send(client.message("ping"))).status_code == 401


CHANGES = """
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from tools_app.models import Token
ada, sam = User.objects.get(username="ada"), User.objects.get(username="sam")
delete_user = Permission.objects.get(codename="delete_user")
run_as = Permission.objects.get(codename="run_as")
tokens = Token.objects.all()
"""


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        ("sam.user_permissions.clear()", "sam.user_permissions.add(run_as)"),
        ("ada.user_permissions.add(delete_user)", "ada.user_permissions.clear()"),
        ("tokens.update(revoked_at=timezone.now())", "tokens.update(revoked_at=None)"),
    ],
    ids=["he may no more", "the other may more than he", "the token is revoked"],
)
async def test_a_call_that_runs_ends_once_it_could_not_be_begun(
    site: Site, change: str, undo: str
) -> None:
    async with inspecting(site, MODERN) as client:
        ran = len((await client.call("waits"))["structuredContent"])
        async with client.open(calling(client, "wait")) as reply:
            assert (await reply.message())["params"]["progress"] == 1
            await asyncio.to_thread(site.manage, "shell", "-v0", "-c", CHANGES + change)
            try:
                async with asyncio.timeout(BOUND_S):
                    while await reply.piece() is not None:
                        pass
                refused = await client.send(client.message("tools/list"))
                assert refused.status_code == 403
            finally:
                undone = CHANGES + undo
                await asyncio.to_thread(site.manage, "shell", "-v0", "-c", undone)
        ended = (await client.call("waits"))["structuredContent"]
        assert len(ended) == ran + 1
