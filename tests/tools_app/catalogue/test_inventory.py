from __future__ import annotations

import pytest
from django.test import override_settings

from mcp_transport import Shelf
from tests.tools_app.catalogue.shop import ShopCatalogue
from tools_app.catalogue.inventory import EntryStatus, Item, inventory
from tools_app.models import CatalogueEntry

Rows = dict[str, CatalogueEntry]

unsteered = Shelf()


@unsteered.tool
def count() -> int:
    """Count."""
    return 1


def items() -> dict[str, Item]:
    found = inventory()
    by_key = {item.key: item for item in found}
    assert len(by_key) == len(found)
    return by_key


def change(row: CatalogueEntry, **values: object) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def test_what_is_served_is_on(rows: Rows, served: ShopCatalogue) -> None:
    change(rows["slow"], visibility="unlisted")
    found = items()
    assert found.keys() == rows.keys()
    assert {item.status for item in found.values()} == {EntryStatus.ON}
    unlisted = [item.key for item in found.values() if item.visibility == "unlisted"]
    assert unlisted == ["slow"]
    entry = served.current().snapshot.entries["tools"]["slow"]
    assert found["slow"].entry is entry


def test_what_is_off_is_told_as_it_would_be_served(rows: Rows) -> None:
    change(rows["count_orders"], enabled=False, description="How many.", tags=["a"])
    change(rows["shop://orders/{pk}"], enabled=False)
    item = items()["count_orders"]
    assert (item.status, item.entry, item.reason) == (EntryStatus.OFF, None, None)
    assert (item.description, item.tags) == ("How many.", ["a"])
    assert item.scope == "tools:call:count_orders"
    assert items()["shop://orders/{pk}"].name == "order"


def test_what_no_code_registers_any_more_is_missing(rows: Rows, shelf: Shelf) -> None:
    change(rows["letter"], title="A letter to them", enabled=False)
    shelf.remove("tools", "route")
    shelf.remove("prompts", "letter")
    found = items()
    route, letter = found["route"], found["letter"]
    assert (route.status, route.entry) == (EntryStatus.MISSING, None)
    assert route.description == "Say where an order goes."
    assert route.scope == "tools:call:route"
    # That it was switched off counts when the code is back.
    assert (letter.status, letter.title) == (EntryStatus.OFF, "A letter to them")


def test_what_cannot_be_built_is_broken_and_says_why(rows: Rows) -> None:
    CatalogueEntry.objects.create(kind="tools", key="lost", source="gone", title="Lost")
    lost = items()["lost"]
    assert lost.status == EntryStatus.BROKEN
    assert lost.reason == 'There is no kind of entry "gone" any more.'
    assert (lost.name, lost.title, lost.scope) == ("lost", "Lost", None)


def test_a_name_that_code_has_taken_stands_for_both(rows: Rows, shelf: Shelf) -> None:
    CatalogueEntry.objects.create(kind="tools", key="count", source="gone")
    shelf.tool(count)
    both = [item for item in inventory() if item.key == "count"]
    assert [item.status for item in both] == [EntryStatus.ON, EntryStatus.BROKEN]
    assert both[1].reason == "Code registers an entry of this name."


@pytest.mark.django_db
def test_of_another_catalogue_all_is_on() -> None:
    with override_settings(MCP={"CATALOGUE": f"{__name__}.unsteered"}):
        item = items()["count"]
    assert (item.status, item.description) == (EntryStatus.ON, "Count.")
