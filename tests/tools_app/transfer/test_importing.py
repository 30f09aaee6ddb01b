from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from mcp_transport import connect
from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.transfer.conftest import (
    COUNT,
    HOURS,
    PRESET,
    Json,
    entry,
    everything,
    file,
)
from tools_app.models import CatalogueEntry
from tools_app.transfer.document import Item, exported, read, written
from tools_app.transfer.importing import (
    Action,
    Outcome,
    Refused,
    bring_in,
    preview,
)

WRONG_LISTS: list[Any] = [[["username"]], [{}], [None], {"username": 1}, 7]
QUERY: Json = {"model": "auth.User", "shown_fields": ["username"], "page_size": 5}


def items(*entries: Json) -> list[Item]:
    return read(file(*entries))


def imported(*entries: Json) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Import, and return what was done to which entry, as the history has it."""
    recorded: list[Outcome] = []
    outcomes = bring_in(items(*entries), recorded.append)
    done = [o for o in outcomes if o.action is not Action.UNCHANGED]
    assert recorded == done
    return {o.item.key: (o.action.value, o.fields) for o in outcomes}


def refused(*entries: Json) -> dict[str, str]:
    before = everything()
    with pytest.raises(Refused) as caught:
        bring_in(items(*entries), _nobody)
    assert everything() == before
    assert preview(items(*entries)) == _without_rows(caught.value)
    return {
        o.item.key: " ".join(o.problems)
        for o in caught.value.outcomes
        if o.action is Action.REFUSED
    }


def _without_rows(error: Refused) -> list[Any]:
    class Same:
        def __init__(self, outcome: Outcome) -> None:
            self.outcome = replace(outcome, row=None)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Outcome) and self.outcome == replace(
                other, row=None
            )

    return [Same(outcome) for outcome in error.outcomes]


def _nobody(outcome: Outcome) -> None:
    raise AssertionError("nothing is to be recorded")


def test_entries_are_made_and_changed(here: Shelf) -> None:
    assert imported(HOURS, PRESET, COUNT) == {
        "docs://hours": ("created", ("title", "spec")),
        "count_open": ("created", ("spec",)),
        "count_orders": ("changed", ("description", "tags", "timeout_s")),
    }
    assert entry("docs://hours").spec == HOURS["spec"]
    assert entry("count_orders").tags == ["orders", "daily"]
    assert entry("count_orders").code["tags"] == ["orders"]


def test_a_second_time_changes_nothing(here: Shelf) -> None:
    imported(HOURS, PRESET, COUNT)
    before = list(CatalogueEntry.objects.values())
    done = imported(HOURS, PRESET, COUNT)
    assert {action for action, _ in done.values()} == {"unchanged"}
    assert list(CatalogueEntry.objects.values()) == before


def test_what_is_exported_can_be_imported_and_is_the_same(here: Shelf) -> None:
    imported(HOURS, PRESET, COUNT)
    data = written(exported(CatalogueEntry.objects.all())).encode()
    CatalogueEntry.objects.filter(source="text").delete()
    CatalogueEntry.objects.update(description="", tags=None, enabled=False)
    bring_in(read(data), lambda outcome: None)
    assert written(exported(CatalogueEntry.objects.all())).encode() == data


def test_what_a_file_leaves_out_is_as_the_code_has_it(here: Shelf) -> None:
    imported(COUNT)
    plain = {name: COUNT[name] for name in ("kind", "key", "source")}
    assert imported(plain) == {
        "count_orders": ("changed", ("description", "tags", "timeout_s"))
    }


def test_what_a_spec_leaves_out_is_as_its_form_has_it(here: Shelf) -> None:
    short = {**PRESET, "spec": {"tool": "count_orders", "arguments": {"status": "x"}}}
    imported(short)
    assert entry("count_open").spec["input_schema"] == {}
    assert imported(short) == {"count_open": ("unchanged", ())}


def test_a_preview_does_all_that_an_import_does_and_keeps_nothing(here: Shelf) -> None:
    before = list(CatalogueEntry.objects.values())
    outcomes = preview(items(HOURS, COUNT))
    assert [outcome.action for outcome in outcomes] == [Action.CREATED, Action.CHANGED]
    assert list(CatalogueEntry.objects.values()) == before


async def test_clients_see_what_was_imported(here: Shelf, served: Any) -> None:
    await sync_to_async(imported)(HOURS, PRESET, COUNT)
    async with connect() as client:
        tools = {tool["name"]: tool for tool in await client.list_tools()}
        assert tools["count_orders"]["description"] == "Counts."
        assert tools["count_open"]["description"] == "Counts."
        result = await client.call_tool("count_open", {})
        assert result["structuredContent"] == 4
        read = await client.read_resource("docs://hours")
    assert read["contents"][0]["text"] == HOURS["spec"]["text"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({**COUNT, "key": "count_ordres"}, "registers no such entry"),
        ({**COUNT, "kind": "prompts"}, "registers no such entry"),
        ({**HOURS, "key": "shop://hours"}, "code registers an entry"),
        ({**PRESET, "source": "magic"}, "no kind of entry magic"),
        ({**HOURS, "key": "hours"}, "is no URI"),
        ({**HOURS, "kind": "prompts"}, "text makes entries of resources"),
        ({**HOURS, "rate": "often"}, "rate: 'often' is no rate"),
        ({**HOURS, "title": "a\u202eb"}, "title: character U+202E"),
        ({**HOURS, "permission": "all"}, "permission: "),
        ({**HOURS, "visibility": "secret"}, "visibility: "),
        ({**HOURS, "annotations": {"x": 1}}, "annotations: "),
        ({**HOURS, "timeout_s": -1}, "timeout_s: "),
        ({**HOURS, "spec": {}}, "spec.text: "),
        ({**HOURS, "spec": {**HOURS["spec"], "path": "x"}}, "spec.path: there is no"),
        ({**HOURS, "spec": {**HOURS["spec"], "text": "a\u200bb"}}, "spec.text: "),
        (
            {**PRESET, "spec": {"tool": "gone", "arguments": {"a": 1}}},
            "spec.tool: ",
        ),
        (
            {**PRESET, "spec": {"tool": "count_orders", "arguments": {"state": 1}}},
            "state: unknown argument",
        ),
        (
            {
                "kind": "tools",
                "key": "passwords",
                "source": "query",
                "spec": {
                    "model": "auth.User",
                    "shown_fields": ["password"],
                    "page_size": 10,
                },
            },
            "spec.shown_fields: password looks like a secret",
        ),
        *(
            (
                {
                    **PRESET,
                    "source": "query",
                    "spec": {**QUERY, name: wrong},
                },
                f"spec.{name}: Give a list of words.",
            )
            for name in ("shown_fields", "filters", "search_fields", "ordering")
            for wrong in WRONG_LISTS
        ),
    ],
)
def test_one_bad_entry_and_nothing_is_imported(
    here: Shelf, bad: Json, said: str
) -> None:
    good: Json = {"kind": "prompts", "key": "letter", "source": "code", "title": "L"}
    complaints = refused(good, bad)
    assert list(complaints) == [bad["key"]]
    assert said in complaints[bad["key"]]


def test_code_and_what_was_made_do_not_take_each_others_place(here: Shelf) -> None:
    imported(HOURS)
    as_code = {"kind": "resources", "key": "docs://hours", "source": "code"}
    assert "registers no such entry" in refused(as_code)["docs://hours"]


def test_what_was_made_can_become_of_another_kind(here: Shelf) -> None:
    spec = QUERY
    imported(PRESET)
    done = imported({**PRESET, "source": "query", "spec": spec})
    assert done == {"count_open": ("changed", ("source", "spec"))}
    assert entry("count_open").source == "query"


def test_a_preset_of_a_tool_that_is_off_is_imported_and_waits(here: Shelf) -> None:
    imported({**COUNT, "enabled": False}, PRESET)
    assert entry("count_open").enabled


def test_a_row_of_code_that_was_never_written_is_found_all_the_same(
    here: Shelf,
) -> None:
    CatalogueEntry.objects.all().delete()
    assert imported(COUNT)["count_orders"][0] == "changed"


def test_a_history_that_cannot_be_kept_undoes_the_import(here: Shelf) -> None:
    before = everything()
    with pytest.raises(AssertionError):
        bring_in(items(HOURS), _nobody)
    assert everything() == before
