from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, OperationalError, connection, transaction

from mcp_transport.checks.catalogue import check_catalogue
from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.transports.client import Client
from mcp_transport.transports.inprocess import connect
from tests.tools_app.catalogue.shop import ShopCatalogue
from tools_app.catalogue import serving
from tools_app.models import CatalogueEntry, CatalogueVersion

BOUND_S = 30

Rows = dict[str, CatalogueEntry]


async def tool(client: Client, name: str) -> dict[str, Any] | None:
    found = [one for one in await client.list_tools() if one["name"] == name]
    return found[0] if found else None


async def change(row: CatalogueEntry, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    await row.asave()


async def test_what_an_administrator_says_is_what_a_client_sees(rows: Rows) -> None:
    async with connect() as client:
        before = await tool(client, "count_orders")
        await change(
            rows["count_orders"],
            title="Orders",
            description="How many there are.",
            argument_descriptions={"status": "open or sent", "gone": "nowhere"},
            tags=["sales"],
            annotations={"destructiveHint": False},
        )
        after = await tool(client, "count_orders")
        result = await client.call_tool("count_orders", {"status": "open"})
    assert before is not None and after is not None
    assert before["description"] == "Count the orders."
    assert before["inputSchema"]["properties"]["status"]["description"] == (
        "as the shop has it."
    )
    assert after["title"] == "Orders"
    assert after["description"] == "How many there are."
    arguments = after["inputSchema"]["properties"]
    assert arguments["status"]["description"] == "open or sent"
    assert "gone" not in arguments
    assert after["_meta"]["tags"] == ["sales"]
    assert after["annotations"] == {"readOnlyHint": True, "destructiveHint": False}
    assert result["structuredContent"] == 4


async def test_the_codes_own_entry_is_left_alone(rows: Rows, shelf: Shelf) -> None:
    async with connect() as client:
        await client.list_tools()
        await change(
            rows["count_orders"],
            description="Other.",
            argument_descriptions={"status": "other"},
        )
        await client.list_tools()
    (own,) = [entry for entry in shelf.entries() if entry.key == "count_orders"]
    assert own.description == "Count the orders."
    assert "other" not in str(own.to_json())


async def test_prompts_and_resources_are_overridden_as_well(rows: Rows) -> None:
    async with connect() as client:
        await change(rows["letter"], argument_descriptions={"name": "the addressee"})
        await change(rows["shop://hours"], annotations={"priority": 0.5}, title="Hours")
        await change(rows["shop://orders/{pk}"], description="An order.")
        (prompt,) = await client.list_prompts()
        (resource,) = await client.list_resources()
        (template,) = await client.list_resource_templates()
        got = await client.get_prompt("letter", {"name": "Ada"})
        read = await client.read_resource("shop://orders/7")
    assert prompt["arguments"][0]["description"] == "the addressee"
    assert got["messages"][0]["content"]["text"] == "Ada, kind"
    assert (resource["title"], resource["annotations"]) == ("Hours", {"priority": 0.5})
    assert template["description"] == "An order."
    assert read["contents"][0]["text"] == "7"


async def test_headers_that_mirror_arguments_go_on(
    rows: Rows, served: ShopCatalogue
) -> None:
    await change(rows["route"], argument_descriptions={"region": "where to"})
    found = await served.find("tools", "route", ANONYMOUS)
    assert [param.header for param in found.headers] == ["mcp-param-region"]
    node = found.input_schema["properties"]["region"]
    assert (node["x-mcp-header"], node["description"]) == ("Region", "where to")


async def test_what_is_switched_off_does_not_exist(rows: Rows) -> None:
    async with connect() as client:
        await client.call_tool("count_orders", {"status": "a"})
        await change(rows["count_orders"], enabled=False)
        assert await tool(client, "count_orders") is None
        with pytest.raises(ProtocolError, match="Unknown tool"):
            await client.call_tool("count_orders", {"status": "a"})
        await change(rows["count_orders"], enabled=True)
        assert await tool(client, "count_orders") is not None


async def test_what_is_unlisted_can_be_called_by_name(rows: Rows) -> None:
    async with connect() as client:
        await change(rows["count_orders"], visibility="unlisted")
        await change(rows["shop://hours"], visibility="unlisted")
        assert await tool(client, "count_orders") is None
        assert await client.list_resources() == []
        await client.call_tool("count_orders", {"status": "a"})
        read = await client.read_resource("shop://hours")
    assert read["contents"][0]["text"] == "9 to 5"


async def test_permission_and_scope_are_what_the_row_says(rows: Rows) -> None:
    clerk = Caller("clerk", frozenset({"tools:call:orders"}), frozenset({"shop.count"}))
    stranger = Caller("stranger", frozenset({"tools:call:orders"}))
    narrow = Caller("narrow", frozenset({"tools:call:route"}), frozenset())
    await change(
        rows["count_orders"], permission="shop.count", scope="tools:call:orders:count"
    )
    for caller, sees in ((clerk, True), (stranger, False), (narrow, False)):
        async with connect(caller=caller) as client:
            assert (await tool(client, "count_orders") is not None) is sees


async def test_rate_and_deadline_are_what_the_row_says(rows: Rows) -> None:
    async with connect() as client:
        await change(rows["slow"], timeout_s=0.01)
        late = await client.call_tool("slow", {"wait_s": BOUND_S})
        assert late["isError"] and "within 0.01 s" in late["content"][0]["text"]
        await change(rows["count_orders"], rate="1/d")
        await client.call_tool("count_orders", {"status": "a"})
        with pytest.raises(ProtocolError) as refused:
            await client.call_tool("count_orders", {"status": "a"})
    assert refused.value.code == 429


# Who is told.


async def told(
    kinds: tuple[str, ...], act: Callable[[], Awaitable[object]]
) -> list[str]:
    """Return the lists of which one who listens is told that they changed."""
    heard: list[str] = []

    async with asyncio.timeout(BOUND_S), connect() as client:
        listening = {f"{kind}ListChanged": True for kind in kinds}
        async with client.listen(**listening) as queue:
            await queue.get()
            await client.list_tools()
            await act()
            # What is announced is on its way: an answer comes behind it.
            await client.list_tools()
            await client.list_prompts()
            while not queue.empty():
                said = queue.get_nowait()
                assert said is not None
                heard.append(said[0].split("/")[1])
    return heard


ALL = ("tools", "resources", "prompts")


async def test_a_change_is_told_to_those_whose_list_it_is(rows: Rows) -> None:
    hours, order = rows["shop://hours"], rows["shop://orders/{pk}"]
    assert await told(ALL, lambda: change(rows["slow"], enabled=False)) == ["tools"]
    assert await told(ALL, lambda: change(hours, title="Hours")) == ["resources"]
    assert await told(ALL, lambda: change(order, title="One")) == ["resources"]
    assert await told(ALL, lambda: change(rows["letter"], scope="a")) == ["prompts"]
    assert await told(("prompts",), lambda: change(hours, title="")) == []


async def test_what_no_list_shows_is_not_told(rows: Rows) -> None:
    slow = rows["slow"]
    assert await told(ALL, lambda: change(slow, rate="5/m", timeout_s=3)) == []
    assert await told(ALL, lambda: change(slow, visibility="unlisted")) == ["tools"]
    assert await told(ALL, lambda: change(slow, title="Slowly")) == []


async def test_many_changed_at_once_are_told_once(rows: Rows) -> None:
    entries = CatalogueEntry.objects.filter(kind="tools")
    assert await told(ALL, lambda: entries.aupdate(enabled=False)) == ["tools"]
    assert await told(ALL, lambda: entries.aupdate(enabled=True)) == ["tools"]
    assert await told(ALL, lambda: sync_to_async(_each)(entries)) == ["tools"]
    assert await told(ALL, lambda: entries.adelete()) == ["tools"]


def _each(entries: Any) -> None:
    with transaction.atomic():
        for entry in entries:
            entry.enabled = False
            entry.save()


async def test_what_is_rolled_back_changes_nothing(
    rows: Rows, served: ShopCatalogue
) -> None:
    def attempt() -> None:
        with transaction.atomic():
            CatalogueEntry.objects.update(enabled=False)
            transaction.set_rollback(True)

    number = (await sync_to_async(served.current)()).snapshot.number
    assert await told(ALL, sync_to_async(attempt)) == []
    assert (await sync_to_async(served.current)()).snapshot.number == number


async def test_a_change_by_other_means_is_seen_by_its_number(
    rows: Rows, served: ShopCatalogue
) -> None:
    """As that of another process, of which nobody tells this one."""

    def elsewhere() -> None:
        table, version = (m._meta.db_table for m in (CatalogueEntry, CatalogueVersion))
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET enabled = FALSE WHERE kind = 'tools'")
            cursor.execute(f"UPDATE {version} SET number = number + 1")

    async def seen() -> None:
        await sync_to_async(elsewhere)()
        served.renew()

    assert await told(ALL, seen) == ["tools"]


# What it costs, and what it does without.


def without_loop(asked: Any) -> Any:
    """Return what is known at once, where suspending is impossible."""
    with pytest.raises(StopIteration) as finished:
        asked.send(None)
    return finished.value.value


def test_what_is_known_takes_no_query_and_no_thread(
    rows: Rows, served: ShopCatalogue, queries: list[str]
) -> None:
    served.current()
    queries.clear()
    for _ in range(100):
        page = without_loop(served.page("tools", ANONYMOUS, None, 100))
        found = without_loop(served.find("tools", "count_orders", ANONYMOUS))
    assert len(page.entries) == 3
    assert found.name == "count_orders"
    assert queries == []


def test_all_entries_are_read_in_two_queries(
    rows: Rows, served: ShopCatalogue, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        served.current()
    with django_assert_num_queries(1):
        served.current()


async def test_a_process_begins_with_rows_for_its_code(served: ShopCatalogue) -> None:
    async with connect() as client:
        assert len(await client.list_tools()) == 3

    def keys() -> set[str]:
        return set(CatalogueEntry.objects.values_list("key", flat=True))

    # They are made behind the first answer.
    await served._reader.settled(BOUND_S)
    assert "letter" in await sync_to_async(keys)()


async def test_without_tables_the_code_is_served(
    served: ShopCatalogue,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(known: int | None) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(serving, "read", fails)
    monkeypatch.setattr(serving, "is_migrated", lambda: False)
    async with connect() as client:
        assert len(await client.list_tools()) == 3
    assert "manage.py migrate" in caplog.text


async def test_a_database_that_only_reads_is_enough(
    served: ShopCatalogue,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(code: object) -> None:
        raise OperationalError("attempt to write a readonly database")

    await CatalogueEntry.objects.acreate(kind="tools", key="slow", enabled=False)
    monkeypatch.setattr(serving, "sync", fails)
    async with connect() as client:
        assert len(await client.list_tools()) == 2
        await client.call_tool("count_orders", {"status": "a"})
    assert "readonly database" in caplog.text


async def test_nothing_is_served_while_nobody_can_say_what_is_off(
    served: ShopCatalogue,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(known: int | None) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as away:
        away.setattr(serving, "read", fails)
        with pytest.raises(StoreUnavailable):
            await served.page("tools", ANONYMOUS, None, 10)
        with pytest.raises(StoreUnavailable):
            await served.find("tools", "slow", ANONYMOUS)
    assert len((await served.page("tools", ANONYMOUS, None, 10)).entries) == 3
    assert caplog.text.count("The catalogue cannot be read") == 1


async def test_what_was_known_is_served_on_without_the_database(
    rows: Rows,
    served: ShopCatalogue,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(known: int | None) -> None:
        raise DatabaseError("away")

    async with connect() as client:
        assert len(await client.list_tools()) == 3
        with monkeypatch.context() as away:
            away.setattr(serving, "read", fails)
            await change(rows["slow"], enabled=False)
            assert len(await client.list_tools()) == 3
            assert "cannot be read" in caplog.text
        served.renew()
        assert len(await client.list_tools()) == 2


async def test_what_code_registers_later_is_served_and_told(
    rows: Rows, served: ShopCatalogue, shelf: Shelf
) -> None:
    async def register() -> None:
        def extra() -> str:
            return "more"

        shelf.tool(extra)

    assert await told(ALL, register) == ["tools"]
    assert await served.find("tools", "extra", ANONYMOUS) is not None

    async def remove() -> None:
        shelf.remove("tools", "extra")

    assert await told(ALL, remove) == ["tools"]
    assert await served.find("tools", "extra", ANONYMOUS) is None
    row = await CatalogueEntry.objects.aget(key="extra")
    assert row.missing_since is not None


def test_a_catalogue_that_nobody_has_ends_its_thread(
    shelf: Shelf, transactional_db: None
) -> None:
    catalogue = ShopCatalogue()
    catalogue.watch(lambda kind, number=None: None)
    thread = catalogue._reader._thread
    assert thread is not None and thread.is_alive() and thread.daemon
    del catalogue
    gc.collect()
    thread.join(BOUND_S)
    assert not thread.is_alive()


async def test_no_connection_stays_open(rows: Rows, served: ShopCatalogue) -> None:
    found: list[bool] = []
    attempt = served._reader._attempt

    def attempted(look: Callable[[], None]) -> None:
        attempt(look)
        found.append(connection.connection is None)

    served._reader._attempt = attempted  # type: ignore[method-assign]
    served.renew()
    await served._reader.settled(BOUND_S)
    assert found == [True]


def test_names_that_collide_in_its_code_are_reported(
    served: ShopCatalogue, shelf: Shelf
) -> None:
    assert check_catalogue() == []

    @shelf.tool(name="slow")
    def slower() -> None: ...

    (error,) = check_catalogue()
    assert error.id == "mcp_transport.E002"
