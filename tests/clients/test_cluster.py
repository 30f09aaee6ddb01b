"""The same clients over two processes behind nginx, which sends each request to
whichever it likes: no client is tied to a process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.expected import seen_at
from tests.clients.test_clients import CLIENTS, LACKS, Client
from tests.clients.test_inspector import ERAS, Inspector
from tests.serving import Served, daphnes, free_port, nginx, redis_server

APPLICATION = "tests.clients.asgi:application"
LATEST_OF_SESSIONS = "2025-11-25"
BOUND_S = 30


@dataclass(frozen=True)
class Cluster:
    """What clients turn to, and the processes behind it."""

    front: Served
    members: list[Served]


@pytest.fixture(scope="module")
def cluster(
    shop_environ: dict[str, str], token: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    directory, port = tmp_path_factory.mktemp("cluster"), free_port()
    with redis_server(directory) as redis:
        environ = {**shop_environ, "SHOP_STORE": redis.url}
        with (
            daphnes(2, APPLICATION, directory, environ=environ) as members,
            nginx(members, directory, port) as front,
        ):
            yield Cluster(front, members)
            for member in members:
                assert "Traceback" not in member.said()
                assert token not in member.said()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_is_served_by_both(
    client: Client, cluster: Cluster, token: str
) -> None:
    before = [len(member.said()) for member in cluster.members]
    seen = client.meet(cluster.front, token)
    expected = seen_at(client.revision)
    if client.name in LACKS:
        LACKS[client.name](expected)
    del seen["calls"]["misuse"]
    for error in ("unknown tool", "unknown resource"):
        seen[error].pop("message", None)
    assert seen == expected
    for member, length in zip(cluster.members, before, strict=True):
        assert "/mcp" in member.said()[length:]


@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_is_served_by_both(
    era: str, cluster: Cluster, token: str, tmp_path: Path
) -> None:
    inspect = Inspector(cluster.front, token, era, tmp_path)
    assert inspect("tools/list")["tools"] == seen_at(ERAS[era])["tools"]


def posted(
    client: httpx.Client, session: dict[str, str], message: dict[str, Any]
) -> httpx.Response:
    return client.post("/mcp", json={"jsonrpc": "2.0", **message}, headers=session)


def test_a_question_of_one_process_is_answered_through_the_other(
    cluster: Cluster, token: str
) -> None:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
    }
    one, other = (
        httpx.Client(base_url=member.origin, headers=headers, timeout=BOUND_S)
        for member in cluster.members
    )
    hello = {
        "protocolVersion": LATEST_OF_SESSIONS,
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "test", "version": "1"},
    }
    with one, other:
        started = posted(one, {}, {"id": 1, "method": "initialize", "params": hello})
        session = {
            "Mcp-Session-Id": started.headers["mcp-session-id"],
            "MCP-Protocol-Version": LATEST_OF_SESSIONS,
        }
        posted(other, session, {"method": "notifications/initialized"})
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call"}
        call["params"] = {"name": "order", "arguments": {}}
        heard = []
        with one.stream("POST", "/mcp", json=call, headers=session) as reply:
            for line in reply.iter_lines():
                if not line.startswith("data: {"):
                    continue
                heard.append(json.loads(line.removeprefix("data: ")))
                if heard[-1].get("method") == "elicitation/create":
                    answer = {"action": "accept", "content": {"name": "Ada"}}
                    said = {"id": heard[-1]["id"], "result": answer}
                    assert posted(other, session, said).status_code == 202
    assert [m.get("method", m["id"]) for m in heard] == ["elicitation/create", 2]
    assert heard[-1]["result"]["content"] == [{"type": "text", "text": "Tea for Ada"}]
