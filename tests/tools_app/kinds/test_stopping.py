from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.models.expressions import RawSQL

from mcp_transport import connect
from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.context import Context
from mcp_transport.engine.exchange import Arrival, Exchange
from mcp_transport.engine.threads import Threads
from mcp_transport.protocol.messages import Request
from tests.engine.exchanges import BINDING, serving
from tests.tools_app.kinds.making import caller, made, served
from tools_app.kinds import stopping
from tools_app.kinds.query import Selection
from tools_app.kinds.stopping import stopping_with

pytestmark = pytest.mark.django_db(transaction=True)

# It would count for days.
ENDLESS = """
    SELECT max(a + b + c + d) FROM (
        WITH RECURSIVE counted(n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 1000
        ) SELECT a.n AS a, b.n AS b, c.n AS c, d.n AS d
        FROM counted AS a, counted AS b, counted AS c, counted AS d
    ) AS numbers
"""
BOUND_S = 30
SPEC = {"model": "auth.User", "shown_fields": ["username"], "page_size": 10}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "GRACE_S", 0.05)


@pytest.fixture
async def exchange() -> Exchange:
    return Exchange(
        serving(), Arrival(Request(1, "tools/call", {}), BINDING, ANONYMOUS)
    )


def run(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def test_what_runs_ends_with_the_call(exchange: Exchange) -> None:
    """On one database by a timeout, on the other as soon as it is cancelled."""
    exchange.call.deadline(0.2, lambda: None)
    exchange.call.cancelled = connection.vendor == "sqlite"
    context = Context(exchange, {})
    with pytest.raises(OperationalError), stopping_with(context, "default"):
        run(ENDLESS)
    assert run("SELECT 1") == (1,)
    User.objects.create_user("ada")
    assert run("SELECT count(*) FROM auth_user") == (1,)


def test_what_takes_no_longer_is_left_alone(exchange: Exchange) -> None:
    for left_s in (None, 60, 10**9):
        if left_s is not None:
            exchange.call.deadline(left_s, lambda: None)
        with stopping_with(Context(exchange, {}), "default"):
            assert run("SELECT 1") == (1,)


async def test_a_query_past_its_deadline_gives_its_thread_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With one thread, nothing else would ever be answered."""
    await User.objects.acreate(username="ada")
    rows = Selection.rows

    def endless(self: Selection, *given: Any) -> Any:
        return rows(self, *given).annotate(n=RawSQL(ENDLESS, ())).filter(n__lt=0)

    slow = made("query", "slow", SPEC)
    object.__setattr__(slow, "timeout_s", 0.2)
    threads = Threads(1, closing_old_connections)
    server = served(slow, made("query", "quick", SPEC), run_sync=threads)
    one = caller("*", permissions=["auth.view_user"])
    async with asyncio.timeout(BOUND_S), connect(server, caller=one) as client:
        monkeypatch.setattr(Selection, "rows", endless)
        result = await client.call_tool("slow", {})
        assert "did not finish within 0.2 s" in result["content"][0]["text"]
        monkeypatch.setattr(Selection, "rows", rows)
        result = await client.call_tool("quick", {})
        assert result["structuredContent"]["rows"] == [{"username": "ada"}]
    threads.close()
