from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connections, transaction
from django.test import override_settings

from mcp_transport.conf import get_origins
from mcp_transport.transports.admission import why_foreign
from tests.tools_app.conftest import Clock
from tools_app import origins
from tools_app.models import AllowedOrigin
from tools_app.origins import FRESH_S, AdminOrigins

# They are read in a thread, whose connection sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

BOUND_S = 30
PAGE = "https://app.example.com"
OTHER = "https://other.example.com"
NAMED = "tools_app.origins.AdminOrigins"


@pytest.fixture
def known(clock: Clock) -> Iterator[AdminOrigins]:
    made = AdminOrigins(clock=clock)
    yield made
    made._thread.shutdown()


def ask(known: AdminOrigins) -> frozenset[str]:
    return asyncio.run(known.current())


def ask_without_loop(known: AdminOrigins) -> frozenset[str]:
    """Ask where suspending is impossible."""
    with pytest.raises(StopIteration) as finished:
        known.current().send(None)
    found: frozenset[str] = finished.value.value
    return found


def test_it_knows_what_the_table_has(known: AdminOrigins) -> None:
    assert ask(known) == frozenset()
    AllowedOrigin.objects.create(origin=PAGE)
    AllowedOrigin.objects.create(origin=OTHER)
    assert ask(known) == {PAGE, OTHER}


def test_while_it_knows_it_asks_nobody(
    known: AdminOrigins, clock: Clock, queries: list[str]
) -> None:
    ask(known)
    assert len(queries) == 1
    clock.now_s += FRESH_S - 0.001
    assert ask_without_loop(known) == frozenset()
    assert len(queries) == 1


def test_a_change_made_elsewhere_is_seen_within_five_seconds(
    known: AdminOrigins, clock: Clock
) -> None:
    AllowedOrigin.objects.create(origin=PAGE)
    assert ask(known) == {PAGE}
    # As from another process: no signal is sent here.
    AllowedOrigin.objects.update(origin=OTHER)
    assert ask(known) == {PAGE}
    clock.now_s += FRESH_S
    assert ask(known) == {OTHER}


def test_a_change_made_here_acts_at_once(known: AdminOrigins) -> None:
    assert ask(known) == frozenset()
    allowed = AllowedOrigin.objects.create(origin=PAGE)
    assert ask(known) == {PAGE}
    allowed.origin = OTHER
    allowed.save()
    assert ask(known) == {OTHER}
    allowed.delete()
    assert ask(known) == frozenset()


def test_what_is_rolled_back_never_counts(known: AdminOrigins) -> None:
    ask(known)
    with transaction.atomic():
        AllowedOrigin.objects.create(origin=PAGE)
        assert ask_without_loop(known) == frozenset()
        transaction.set_rollback(True)
    assert ask(known) == frozenset()


def test_those_who_ask_at_once_are_answered_by_one_reading(
    known: AdminOrigins, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    opened = threading.Event()

    def slowly() -> frozenset[str]:
        begun.append(1)
        assert opened.wait(BOUND_S)
        return frozenset({PAGE})

    monkeypatch.setattr(origins, "_allowed", slowly)

    async def many() -> list[frozenset[str]]:
        asking = [asyncio.create_task(known.current()) for _ in range(20)]
        await asyncio.sleep(0)
        asking[0].cancel()
        opened.set()
        async with asyncio.timeout(BOUND_S):
            return await asyncio.gather(*asking[1:])

    assert asyncio.run(many()) == [{PAGE}] * 19
    assert len(begun) == 1


def test_what_was_read_before_a_change_is_not_kept(
    known: AdminOrigins, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, opened = threading.Event(), threading.Event()
    read = origins._allowed

    def slowly() -> frozenset[str]:
        found = read()
        entered.set()
        assert opened.wait(BOUND_S)
        return found

    monkeypatch.setattr(origins, "_allowed", slowly)

    async def asked() -> frozenset[str]:
        early = asyncio.create_task(known.current())
        await asyncio.to_thread(entered.wait, BOUND_S)
        await asyncio.to_thread(_create_and_close, PAGE)
        opened.set()
        assert await early == frozenset()
        return await known.current()

    assert asyncio.run(asked()) == {PAGE}


def _create_and_close(origin: str) -> None:
    AllowedOrigin.objects.create(origin=origin)
    connections.close_all()


def test_without_the_database_nobody_is_let_in_by_it(
    known: AdminOrigins, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> frozenset[str]:
        raise DatabaseError

    with monkeypatch.context() as broken:
        broken.setattr(origins, "_allowed", fails)
        with pytest.raises(DatabaseError):
            ask(known)
    assert ask(known) == frozenset()


async def test_no_connection_is_left_open(known: AdminOrigins) -> None:
    await known.current()

    def open_connections() -> list[object]:
        return [c for c in connections.all(initialized_only=True) if c.connection]

    assert known._thread.submit(open_connections).result(BOUND_S) == []


@override_settings(MCP={"ORIGINS": NAMED, "ALLOWED_ORIGINS": [OTHER]})
def test_the_doors_allow_them_beside_those_of_the_settings() -> None:
    def foreign(origin: str) -> str | None:
        headers = {"host": "localhost", "origin": origin}
        return asyncio.run(why_foreign(headers))

    assert isinstance(get_origins(), AdminOrigins)
    assert foreign(OTHER) is None
    assert foreign(PAGE) == "this Origin is not allowed"
    allowed = AllowedOrigin.objects.create(origin=PAGE)
    assert foreign(PAGE) is None
    assert foreign("HTTPS://APP.example.com:443") is None
    assert foreign(OTHER) is None
    allowed.delete()
    assert foreign(PAGE) == "this Origin is not allowed"
