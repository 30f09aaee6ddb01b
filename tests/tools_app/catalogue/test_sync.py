from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from django.test import override_settings

from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.catalogue.shop import NAMED, fill
from tools_app.catalogue import commands, configured
from tools_app.catalogue.configured import sync_after_migrate
from tools_app.catalogue.entry import MAX_KEY_CHARS
from tools_app.catalogue.sync import Synced, sync
from tools_app.models import CatalogueEntry, CatalogueVersion

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = Synced((), (), (), ())


def number() -> int:
    return CatalogueVersion.objects.number("default")


def test_every_entry_of_the_code_has_a_row(shelf: Shelf) -> None:
    found = sync(shelf.entries())
    assert set(found.new) == {
        "count_orders",
        "route",
        "slow",
        "shop://hours",
        "shop://orders/{pk}",
        "letter",
    }
    row = CatalogueEntry.objects.get(key="count_orders")
    assert (row.kind, row.source, row.enabled) == ("tools", "code", True)
    assert row.overrides == []
    assert row.code == {
        "name": "count_orders",
        "title": "",
        "description": "Count the orders.",
        "arguments": {"status": "as the shop has it.", "region": ""},
        "tags": ["orders"],
        "permission": "",
        "scope": "tools:call:count_orders",
        "rate": "100/m",
        "timeout_s": 20,
        "annotations": {"readOnlyHint": True},
    }


def test_what_is_as_it_was_is_not_written(shelf: Shelf) -> None:
    sync(shelf.entries())
    before = number(), list(CatalogueEntry.objects.values())
    assert sync(shelf.entries()) == NOTHING
    assert (number(), list(CatalogueEntry.objects.values())) == before


def test_the_app_is_told_whose_code_it_is() -> None:
    from mcpsite.catalogue.vocabulary import find_features

    shelf = Shelf()
    shelf.tool(find_features)
    sync(shelf.entries())
    assert CatalogueEntry.objects.get().app_label == "mcpsite"


def test_what_is_gone_is_marked_and_unmarked_when_it_is_back(shelf: Shelf) -> None:
    sync(shelf.entries())
    CatalogueEntry.objects.filter(key="slow").update(title="Slowly")
    (slow,) = [entry for entry in shelf.entries() if entry.key == "slow"]
    shelf.remove("tools", "slow")
    assert sync(shelf.entries()) == Synced((), (), ("slow",), ())
    since = CatalogueEntry.objects.get(key="slow").missing_since
    assert since is not None
    assert sync(shelf.entries()) == NOTHING
    assert CatalogueEntry.objects.get(key="slow").missing_since == since
    shelf.add(slow)
    assert sync(shelf.entries()) == Synced((), (), (), ("slow",))
    row = CatalogueEntry.objects.get(key="slow")
    assert (row.missing_since, row.title) == (None, "Slowly")


def test_what_the_code_says_anew_is_kept_beside_what_is_said_here(
    shelf: Shelf,
) -> None:
    sync(shelf.entries())
    CatalogueEntry.objects.filter(key="slow").update(title="Slowly", enabled=False)
    shelf.remove("tools", "slow")

    @shelf.tool
    def slow() -> str:
        """Take longer."""
        return ""

    assert sync(shelf.entries()) == Synced((), ("slow",), (), ())
    row = CatalogueEntry.objects.get(key="slow")
    assert (row.title, row.enabled) == ("Slowly", False)
    assert row.code["description"] == "Take longer."
    assert row.code["arguments"] == {}


def test_what_was_made_here_is_nothing_to_the_code(shelf: Shelf) -> None:
    CatalogueEntry.objects.create(kind="tools", key="slow", source="preset")
    CatalogueEntry.objects.create(kind="tools", key="other", source="preset")
    assert "slow" not in sync(shelf.entries()).new
    rows = CatalogueEntry.objects.filter(source="preset")
    assert [(row.code, row.missing_since) for row in rows] == [({}, None)] * 2


def test_a_name_that_no_row_can_have_is_served_without_one(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    long = f"shop://{'a' * MAX_KEY_CHARS}"

    @shelf.resource(long)
    def far() -> str:
        return ""

    assert long not in sync(shelf.entries()).new
    assert "has no place in the catalogue's table" in caplog.text


def test_several_may_begin_at_once(shelf: Shelf) -> None:
    failed: list[BaseException] = []
    together = threading.Barrier(4)

    def begin() -> None:
        try:
            together.wait(10)
            sync(shelf.entries())
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert CatalogueEntry.objects.count() == 6
    assert sync(shelf.entries()) == NOTHING


# After migrate, and by command.


def test_a_migration_leaves_rows_where_the_catalogue_is_served(shelf: Shelf) -> None:
    app = apps.get_app_config("tools_app")
    sync_after_migrate(sender=app, using="default")
    assert not CatalogueEntry.objects.exists()
    with override_settings(MCP={"CATALOGUE": NAMED}):
        sync_after_migrate(sender=app, using="other")
        assert not CatalogueEntry.objects.exists()
        sync_after_migrate(sender=app, using="default")
    assert CatalogueEntry.objects.count() == 6


def test_a_migration_does_not_fail_for_it(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(code: object) -> None:
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(configured, "sync", fails)
    with override_settings(MCP={"CATALOGUE": NAMED}):
        sync_after_migrate(sender=apps.get_app_config("tools_app"), using="default")
    assert "could not be brought up to the code" in caplog.text


def mcp_sync() -> str:
    out = StringIO()
    call_command("mcp", "sync", stdout=out)
    return out.getvalue()


def test_the_command_says_what_it_found(shelf: Shelf) -> None:
    with override_settings(MCP={"CATALOGUE": NAMED}):
        assert mcp_sync() == (
            "6 new: count_orders, route, slow, shop://hours, shop://orders/{pk}, "
            "letter\n"
        )
        shelf.remove("tools", "slow")
        assert mcp_sync() == "1 gone from the code: slow\n"
        assert mcp_sync() == "Nothing to do: the catalogue is as the code has it.\n"
        more = Shelf()
        fill(more)
        for number in range(11):
            more.tool(name=f"tool_{number:02}")(_nothing)
        shelf._entries = more._entries
        found = mcp_sync().splitlines()
    assert found[0].startswith("11 new: tool_00, ") and found[0].endswith(
        "tool_09 and 1 more"
    )
    assert found[1] == "1 back: slow"


def _nothing() -> None: ...


def test_the_command_says_what_is_in_its_way(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="AdminCatalogue"):
        mcp_sync()

    def fails(code: Any) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(commands, "sync", fails)
    with (
        override_settings(MCP={"CATALOGUE": NAMED}),
        pytest.raises(CommandError, match="no such table.*manage.py migrate"),
    ):
        mcp_sync()
