"""The transaction in which a query of a model runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection

from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.context import Context
from mcp_transport.engine.exchange import Arrival, Exchange
from mcp_transport.protocol.messages import Request
from tests.engine.exchanges import BINDING, serving
from tools_app.kinds.stopping import stopping_with

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def context() -> Context:
    call = Request(1, "tools/call", {})
    exchange = Exchange(serving(), Arrival(call, BINDING, ANONYMOUS))
    exchange.call.deadline(60, lambda: None)
    return Context(exchange, {})


# How the timeout is set and told, in milliseconds. What is MySQL to Django is MariaDB.
TIMEOUTS = {
    "mysql": (
        "SET max_statement_time = %s / 1000",
        "SELECT CAST(@@max_statement_time * 1000 AS INT)",
    ),
    "postgresql": (
        "SELECT set_config('statement_timeout', %s::int::text, false)",
        "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'",
    ),
}
SET, TELL = TIMEOUTS[connection.vendor]


@pytest.fixture(autouse=True)
def _timeout() -> Iterator[None]:
    yield
    set_timeout(0)


def set_timeout(timeout_ms: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SET, [timeout_ms])


def timeout_ms() -> int:
    with connection.cursor() as cursor:
        cursor.execute(TELL)
        found: int = cursor.fetchone()[0]
        return found


def test_it_may_not_write(context: Context) -> None:
    with (
        pytest.raises(DatabaseError, match=r"(?i)read.only transaction"),
        stopping_with(context, "default"),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM auth_user")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth_user")


@pytest.mark.parametrize("usual_ms", [0, 90_000])
def test_its_statements_end_with_the_call(context: Context, usual_ms: int) -> None:
    set_timeout(usual_ms)
    with stopping_with(context, "default"):
        assert 1_000 < timeout_ms() <= 61_000
    assert timeout_ms() == usual_ms


def test_a_shorter_timeout_of_the_database_stays(context: Context) -> None:
    set_timeout(500)
    with stopping_with(context, "default"):
        assert timeout_ms() == 500


def test_a_call_without_a_deadline_has_the_longest_timeout(context: Context) -> None:
    context._exchange.call.pause()
    with stopping_with(context, "default"):
        assert timeout_ms() == 2**31 - 1
