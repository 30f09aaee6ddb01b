"""What was decided about a token acts in every process, without a word between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from tests.faults.requests import stateless
from tests.serving import Served, daphnes
from tests.wire.served.database import environ, manage, prepare
from tools_app.credential import public_id_of

# The rule is five seconds; the rest is for a machine that has other work.
BOUND_S = 5 + 25
PAUSE_S = 0.1


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "db.sqlite3"


@pytest.fixture
def token(database: Path) -> str:
    return prepare(database)


@pytest.fixture
def processes(database: Path, token: str, tmp_path: Path) -> Iterator[list[Served]]:
    application, surroundings = "tests.wire.served.asgi:lean", environ(database)
    with daphnes(2, application, tmp_path, environ=surroundings) as served:
        yield served
        for process in served:
            assert "Traceback" not in process.said()
            assert token.rpartition("_")[2] not in process.said()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=BOUND_S) as client:
        yield client


async def status(http: httpx.AsyncClient, process: Served, token: str) -> int:
    message, headers = stateless("echo", "1", {"text": "a"})
    given = {**headers, "Authorization": f"Bearer {token}"}
    reply = await http.post(process.url, json=message, headers=given)
    return reply.status_code


async def becomes_refused(
    http: httpx.AsyncClient, processes: Sequence[Served], token: str
) -> None:
    """Use the token until every process refuses it; raises TimeoutError."""
    async with asyncio.timeout(BOUND_S):
        for process in processes:
            while (given := await status(http, process, token)) != 401:
                assert given == 200
                await asyncio.sleep(PAUSE_S)


async def test_rotation_and_revocation_act_in_every_process(
    http: httpx.AsyncClient, processes: list[Served], database: Path, token: str
) -> None:
    async def statuses(*texts: str) -> set[int]:
        return {await status(http, p, text) for p in processes for text in texts}

    async def tokens(action: str, *options: str) -> str:
        id = public_id_of(token)
        assert id is not None
        command = ("mcp", "tokens", action, id, *options)
        return (await asyncio.to_thread(manage, database, *command)).strip()

    assert await statuses(token) == {200}
    new = await tokens("rotate", "--overlap-hours", "1")
    assert await statuses(token, new) == {200}

    await tokens("end-old-secret")
    await becomes_refused(http, processes, token)
    assert await statuses(new) == {200}

    newest = await tokens("rotate", "--overlap-hours", "0")
    await becomes_refused(http, processes, new)
    assert await statuses(newest) == {200}

    await tokens("revoke")
    await becomes_refused(http, processes, newest)
