"""The ledger has each call once, costs a call no query, and outlives an outage."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import override_settings

from mcp_transport.callers import acting_as
from mcp_transport.conf import get_server
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.observing import Outcome
from mcp_transport.engine.server import Server
from mcp_transport.monitoring.gauges import gauges
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from mcp_transport.transports.inprocess import connect
from tests.engine.exchanges import serving
from tests.tools_app.conftest import Issue
from tests.tools_app.ledger.calls import CALLER, served
from tools_app.ledger import Ledger, writing
from tools_app.ledger import ledger as module
from tools_app.models import Call, Token

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()

    @shelf.tool
    def greet(name: str, password: str = "") -> str:
        if name == "nobody":
            raise ValueError("a secret")
        return f"Hello {name}"

    @shelf.tool
    async def hello() -> str:
        return "Hello"

    @shelf.resource("note://{pk}")
    def note(pk: int) -> str:
        return f"note {pk}"

    @shelf.prompt
    def letter(to: str) -> str:
        return f"Dear {to}"

    return shelf


@pytest.fixture
def server(shelf: Shelf, ledger: Ledger) -> Server:
    return serving(shelf, observers=[ledger])


@contextmanager
def away() -> Iterator[None]:
    """Take the table away, as when the database cannot be reached."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tools_app_call RENAME TO away")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE away RENAME TO tools_app_call")


def names() -> list[str]:
    return list(Call.objects.order_by("at").values_list("name", flat=True))


async def test_each_kind_of_call_has_its_row(server: Server, ledger: Ledger) -> None:
    meta = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    info = {"name": "tester", "version": "3"}
    async with connect(server, caller=CALLER, info=info) as client:
        await client.list_tools()
        await client.call_tool("greet", {"name": "Ada", "password": "hunter22"})
        await client.call_tool("greet", {"name": "nobody"})
        await client.request("resources/read", {"uri": "note://7", "_meta": meta})
        await client.request(
            "prompts/get", {"name": "letter", "arguments": {"to": "Ada"}}
        )
        with pytest.raises(ProtocolError):
            await client.call_tool("unknown", {})
    await ledger.drain()
    rows = [call async for call in Call.objects.order_by("at")]
    assert [(row.method, row.name, row.outcome) for row in rows] == [
        ("tools/call", "greet", "ok"),
        ("tools/call", "greet", "tool_error"),
        ("resources/read", "note://7", "ok"),
        ("prompts/get", "letter", "ok"),
        ("tools/call", "unknown", "error"),
    ]
    first, failed, read, got, refused = rows
    assert first.arguments == {"name": "Ada", "password": "(hidden)"}
    assert (first.door, first.revision) == ("in-process", LATEST.name)
    assert (first.subject, first.client) == ("token:abc", "tester/3")
    assert first.sent_bytes > 50
    assert first.minute == int(first.at.timestamp()) // 60
    assert "secret" not in failed.error
    assert failed.error.startswith("The tool failed")
    assert (read.trace_id, first.trace_id) == (TRACE, "")
    assert got.arguments == {"to": "Ada"}
    assert (refused.error, refused.error_code) == ("Unknown tool: unknown", -32602)


async def test_a_session_is_known_by_a_digest_that_opens_none(
    server: Server, ledger: Ledger
) -> None:
    revision = LATEST_STATEFUL.name
    async with connect(server, caller=CALLER, revision=revision) as client:
        await client.call_tool("greet", {"name": "Ada"})
        await client.call_tool("greet", {"name": "Bob"})
    await ledger.drain()
    one, other = [call.session_id async for call in Call.objects.all()]
    assert one == other
    assert len(one) == 16


async def test_whose_call_it_is_is_told(
    server: Server, ledger: Ledger, issue: Issue
) -> None:
    token, _ = await sync_to_async(issue)()
    owner = await User.objects.aget(pk=token.owner_id)
    caller = Caller(
        f"token:{token.public_id}",
        frozenset({"*"}),
        user=owner,
        token_id=token.public_id,
        actor="grace",
    )
    async with connect(server, caller=caller) as client:
        await client.call_tool("greet", {"name": "Ada"})
    await ledger.drain()
    row = await Call.objects.aget()
    assert (row.token_id, row.user_id, row.actor) == (token.pk, owner.pk, "grace")


async def test_a_call_costs_no_query_and_waits_for_nobody(
    server: Server, ledger: Ledger, queries: list[str]
) -> None:
    async with connect(server, caller=CALLER) as client:
        await client.call_tool("hello", {})
        await ledger.drain()
        queries.clear()
        threads = threading.active_count()
        # Whoever writes is held up: no call is.
        with ledger._writing:
            for _ in range(50):
                await client.call_tool("hello", {})
            assert queries == []
            assert threading.active_count() == threads
            assert ledger.depth == 50
    await ledger.drain()
    assert await Call.objects.acount() == 51


def test_what_waits_is_written_when_the_ledger_is_closed(ledger: Ledger) -> None:
    for number in range(module.BATCH_ROWS + 7):
        ledger.request_served(served(f"tool{number}"))
    ledger.close()
    assert ledger.depth == 0
    assert len(set(names())) == module.BATCH_ROWS + 7


def test_an_operator_sees_how_many_wait_and_were_dropped(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    with ledger._writing:
        for _ in range(5):
            ledger.request_served(served())
        seen = {gauge.name: gauge.value() for gauge in gauges()}
    assert (seen["mcp_ledger_depth"], seen["mcp_ledger_dropped"]) == (2, 3)


def test_other_requests_have_no_row(ledger: Ledger) -> None:
    ledger.request_served(served(method="tools/list"))
    ledger.request_served(served(method="initialize"))
    assert ledger.depth == 0


def test_while_the_database_is_away_calls_wait_and_are_written_once(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with away():
        ledger.request_served(served("first"))
        assert not ledger.flush(within_s=0.01)
        ledger.request_served(served("second"))
        assert not ledger.flush(within_s=0.01)
        assert ledger.depth == 2
    assert ledger.flush()
    assert names() == ["first", "second"]
    assert (ledger.depth, ledger.dropped) == (0, 0)
    said = [record.getMessage() for record in caplog.records]
    assert sum("cannot be written" in line for line in said) == 1
    assert sum("written again" in line for line in said) == 1


def test_the_thread_tries_again_by_itself(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY_S", 0.01)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    tried = threading.Event()
    told = ledger._tell_of_failure

    def telling() -> None:
        told()
        tried.set()

    monkeypatch.setattr(ledger, "_tell_of_failure", telling)
    with away():
        ledger.request_served(served("first"))
        assert tried.wait(20)
    while ledger.depth:
        threading.Event().wait(0.01)
    assert names() == ["first"]


def test_beyond_what_is_kept_the_oldest_are_dropped_and_counted(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    with away(), ledger._writing:
        for number in range(5):
            ledger.request_served(served(f"tool{number}"))
    assert (ledger.dropped, ledger.depth) == (2, 3)
    with away():
        assert not ledger.flush(within_s=0.01)
    assert "2 calls were dropped" in caplog.text
    assert ledger.flush()
    assert names() == ["tool2", "tool3", "tool4"]


def test_who_cannot_tell_whether_a_batch_was_written_looks(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, failures = writing._insert, iter([True])

    def losing_the_answer(*arguments: Any) -> None:
        insert(*arguments)
        if next(failures, False):
            raise OperationalError("the connection was lost during the commit")

    monkeypatch.setattr(writing, "_insert", losing_the_answer)
    ledger.request_served(served("first"))
    ledger.request_served(served("second"))
    assert ledger.flush()
    assert names() == ["first", "second"]


def test_one_bad_row_is_lost_alone(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    nothing: Any = None
    with ledger._writing:
        ledger.request_served(served("first"))
        ledger.request_served(served("bad"))
        ledger.request_served(served("last"))
        ledger._records[1] = ledger._records[1]._replace(outcome=nothing)
    with caplog.at_level(logging.ERROR):
        assert ledger.flush()
    assert names() == ["first", "last"]
    assert ledger.dropped == 1
    assert "A call of 'bad'" in caplog.text
    assert "IntegrityError" in caplog.text


def test_what_no_table_takes_is_made_fit(ledger: Ledger) -> None:
    ledger.request_served(
        served(
            "a\0b" * 300,
            caller=Caller("c" * 999),
            client={"name": "n" * 9999, "version": 7},
            error="e\0" * 9999,
            outcome=Outcome.ERROR,
            arguments={"k\0": ["v\0", float("nan")]},
        )
    )
    ledger.request_served(served(None, params={"name": ["no", "text"]}, client=None))
    assert ledger.flush()
    assert ledger.dropped == 0
    first, second = Call.objects.order_by("at")
    first.full_clean()
    assert "\0" not in first.name + first.error + str(first.arguments)
    assert second.name == second.client == ""


@pytest.mark.parametrize("late", [False, True])
def test_whose_token_was_deleted_meanwhile_is_told_by_its_subject(
    ledger: Ledger, issue: Issue, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    token, _ = issue()
    caller = acting_as(
        token.owner,
        subject=f"token:{token.public_id}",
        scopes=frozenset(),
        token_id=token.public_id,
    )
    ledger.request_served(served(caller=caller))
    insert = writing._insert

    def deleting(*arguments: Any) -> None:
        Token.objects.all().delete()
        User.objects.all().delete()
        insert(*arguments)

    if late:  # after the ledger has looked
        monkeypatch.setattr(writing, "_insert", deleting)
    else:
        User.objects.all().delete()
    assert ledger.flush()
    row = Call.objects.get()
    assert (row.token_id, row.user_id) == (None, None)
    assert row.subject == caller.subject


async def test_the_settings_make_a_ledger(transactional_db: None) -> None:
    settings = {
        "OBSERVERS": ["tools_app.ledger.Ledger"],
        "CATALOGUE": f"{__name__}.one",
    }
    with override_settings(MCP=settings, MCP_LEDGER={"REDACT": {"echo": ["text"]}}):
        async with connect(caller=CALLER) as client:
            await client.call_tool("echo", {"text": "x"})
        (made,) = get_server().observers
        assert isinstance(made, Ledger)
        await asyncio.to_thread(made.close)
    row = await Call.objects.aget()
    assert row.arguments == {"text": "(hidden)"}


one = Shelf()


@one.tool
def echo(text: str) -> str:
    return text
