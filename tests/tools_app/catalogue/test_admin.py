from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.db import connection
from django.forms import CheckboxInput
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.catalogue.notes import NAMED
from tests.tools_app.catalogue.shop import ShopCatalogue
from tests.tools_app.ledger.calls import add_calls, call
from tests.tools_app.pages import staff, words
from tools_app.catalogue.sync import sync
from tools_app.models import CatalogueEntry

LIST = "/admin/tools_app/catalogueentry/"
ADD = f"{LIST}add/?source=note"

Rows = dict[str, CatalogueEntry]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("served", "root"),
]


def url(row: CatalogueEntry) -> str:
    return reverse("admin:tools_app_catalogueentry_change", args=[row.pk])


def fields(page: Any, **changed: Any) -> dict[str, Any]:
    """Return what a browser would send of the form on a page."""
    sent: dict[str, Any] = {}
    for bound in page.context["adminform"].form:
        value, widget = bound.value(), bound.field.widget
        if isinstance(widget, CheckboxInput):
            sent.update({bound.html_name: "on"} if value else {})
        elif value is not None:
            sent[bound.html_name] = widget.format_value(value) or ""
    return {**sent, **changed}


def change(client: Client, row: CatalogueEntry, **changed: Any) -> Any:
    return client.post(url(row), fields(client.get(url(row)), **changed))


def act(client: Client, action: str, *rows: CatalogueEntry) -> Any:
    chosen = [row.pk for row in rows]
    sent = {"action": action, "_selected_action": chosen}
    return client.post(LIST, sent, follow=True)


def shown(row: CatalogueEntry, served: ShopCatalogue) -> dict[str, Any] | None:
    """Return what is listed of an entry."""
    row.refresh_from_db()
    snapshot = served.current().snapshot
    listed = [e for e in snapshot.listed(row.kind) if e.key == row.key]  # type: ignore[arg-type]
    return listed[0].to_json() if listed else None


# Change.


def test_all_that_is_said_of_a_tool_can_be_changed(
    client: Client, rows: Rows, served: ShopCatalogue
) -> None:
    row = rows["count_orders"]
    response = change(
        client,
        row,
        **{
            "title": "Orders",
            "description": "How many.",
            "argument-status": "open or sent",
            "tags": "sales, daily",
            "annotation-destructiveHint": "false",
            "annotation-readOnlyHint": "false",
            "rate": "5/m",
            "timeout_s": "3",
            "scope": "tools:call:orders",
            "visibility": "listed",
        },
    )
    assert response.status_code == 302, response.context["errors"]
    listed = shown(row, served)
    assert listed is not None
    assert (listed["title"], listed["description"]) == ("Orders", "How many.")
    arguments = listed["inputSchema"]["properties"]
    assert arguments["status"]["description"] == "open or sent"
    assert arguments["region"].get("description") is None
    assert listed["_meta"] == {"tags": ["daily", "sales"]}
    assert listed["annotations"] == {"readOnlyHint": False, "destructiveHint": False}
    assert row.argument_descriptions == {"status": "open or sent"}
    entry = served.current().snapshot.entries["tools"]["count_orders"]
    assert str(entry.rate) == "5/m"  # type: ignore[attr-defined]
    assert entry.scope == "tools:call:orders"


def test_the_codes_own_words_are_beside(client: Client, rows: Rows) -> None:
    page = words(client.get(url(rows["count_orders"])))
    assert "Count the orders." in page
    assert "as the shop has it." in page
    assert "100/m" in page
    # And what clients are shown.
    assert '"inputSchema"' in page


def test_nothing_changes_where_nothing_is_changed(client: Client, rows: Rows) -> None:
    for row in rows.values():
        before = CatalogueEntry.objects.filter(pk=row.pk).values().get()
        assert change(client, row).status_code == 302
        after = CatalogueEntry.objects.filter(pk=row.pk).values().get()
        assert {**after, "changed_at": None} == {**before, "changed_at": None}
    assert not LogEntry.objects.exclude(change_message="[]").exists()


def test_each_field_can_be_reset_to_the_code(
    client: Client, rows: Rows, served: ShopCatalogue
) -> None:
    row = rows["count_orders"]
    before = shown(row, served)
    change(
        client,
        row,
        **{
            "title": "Orders",
            "argument-status": "open",
            "tags": "a",
            "annotation-readOnlyHint": "false",
            "rate": "5/m",
        },
    )
    names = [n for n in fields(client.get(url(row))) if n.startswith("reset-")]
    assert names == []  # none is ticked
    page = words(client.get(url(row)))
    resets = ("title", "argument-status", "tags", "annotation-readOnlyHint", "rate")
    for name in resets:
        assert f'name="reset-{name}"' in page
    assert 'name="reset-description"' not in page
    # What was written into a field that is given up does not matter.
    response = change(
        client, row, rate="nonsense", **{f"reset-{name}": "on" for name in resets}
    )
    assert response.status_code == 302
    assert shown(row, served) == before
    assert row.overrides == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "in\u200bvisible", "cannot be seen"),
        ("description", "\u202edlrow", "cannot be seen"),
        ("argument-status", "a\u200bb", "cannot be seen"),
        ("rate", "often", "is no rate"),
        ("scope", "no scope", "is not the scope of an entry"),
        ("scope", "*", "is not the scope of an entry"),
        ("permission", "anything", "such as shop.view_order"),
        ("timeout_s", "0", "greater than or equal to"),
        ("tags", "a! b", "is no tag"),
        ("annotation-readOnlyHint", "perhaps", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    client: Client, rows: Rows, field: str, value: str, said: str
) -> None:
    response = change(client, rows["count_orders"], **{field: value})
    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert list(errors) == [field]
    assert said in html.unescape(str(errors[field]))
    rows["count_orders"].refresh_from_db()
    assert rows["count_orders"].overrides == []


def test_a_form_has_what_concerns_its_kind(client: Client, rows: Rows) -> None:
    def names(key: str) -> set[str]:
        return set(client.get(url(rows[key])).context["adminform"].form.fields)

    assert {"rate", "timeout_s", "annotation-openWorldHint"} <= names("slow")
    assert {"annotation-audience", "annotation-priority"} <= names("shop://hours")
    for key in ("shop://hours", "shop://orders/{pk}", "letter"):
        assert not {"rate", "timeout_s", "annotation-openWorldHint"} & names(key)
    assert "argument-tone" in names("letter")


def test_resources_have_annotations_of_their_own(
    client: Client, rows: Rows, served: ShopCatalogue
) -> None:
    row = rows["shop://hours"]
    said = {"annotation-audience": ["user"], "annotation-priority": "0.5"}
    assert change(client, row, **said).status_code == 302
    listed = shown(row, served)
    assert listed is not None
    assert listed["annotations"] == {"audience": ["user"], "priority": 0.5}
    assert change(client, row).status_code == 302
    assert shown(row, served) == listed


def test_a_permission_that_nobody_has_is_warned_of(client: Client, rows: Rows) -> None:
    sent = fields(client.get(url(rows["slow"])), permission="shop.count_order")
    response = client.post(url(rows["slow"]), sent, follow=True)
    assert 'There is no permission "shop.count_order"' in words(response)
    response = client.post(
        url(rows["slow"]), {**sent, "permission": "auth.view_user"}, follow=True
    )
    assert "There is no permission" not in words(response)


def test_a_change_leaves_alone_what_the_code_says(client: Client, rows: Rows) -> None:
    sent = fields(client.get(url(rows["slow"])), title="Slowly")
    CatalogueEntry.objects.filter(pk=rows["slow"].pk).update(code={"title": "newer"})
    client.post(url(rows["slow"]), sent)
    rows["slow"].refresh_from_db()
    assert rows["slow"].title == "Slowly"
    assert rows["slow"].code == {"title": "newer"}


# Entries without code.


@pytest.fixture
def notes() -> Any:
    with override_settings(MCP_ENTRY_KINDS=[NAMED]):
        yield


def add(client: Client, **given: Any) -> Any:
    said = {
        "key": "note://one",
        "enabled": "on",
        "visibility": "listed",
        "spec-text": "Hello",
    }
    return client.post(ADD, {**said, **given})


def test_what_is_to_be_made_is_chosen_first(client: Client, notes: None) -> None:
    page = words(client.get(f"{LIST}add/"))
    assert 'href="?source=note"' in page
    assert 'href="?source=note"' in words(client.get(f"{LIST}add/?source=none"))
    assert client.post(f"{LIST}add/", {"key": "a"}).status_code == 200
    assert not CatalogueEntry.objects.exists()
    with override_settings(MCP_ENTRY_KINDS=[]):
        assert "MCP_ENTRY_KINDS" in words(client.get(f"{LIST}add/"))


def test_an_entry_is_made_and_changed(
    client: Client, served: ShopCatalogue, notes: None
) -> None:
    assert 'name="spec-text"' in words(client.get(ADD))
    response = add(client, title="One")
    assert response.status_code == 302, response.context["errors"]
    row = CatalogueEntry.objects.get(key="note://one")
    assert (row.kind, row.source) == ("resources", "note")
    assert row.spec == {"text": "Hello", "tool": "", "lines": None}
    assert shown(row, served) == {
        "uri": "note://one",
        "name": "note",
        "title": "One",
        "description": "A note.",
    }
    changed = {"spec-text": "Hi", "spec-lines": "3", "key": "note://two"}
    assert change(client, row, **changed).status_code == 302
    row.refresh_from_db()
    assert (row.key, row.spec["text"], row.spec["lines"]) == ("note://two", "Hi", 3)
    assert 'value="Hi"' in words(client.get(url(row)))
    assert client.post(f"{url(row)[:-7]}delete/", {"post": "yes"}).status_code == 302
    assert not CatalogueEntry.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"spec-text": ""}, "spec-text", "This field is required."),
        ({"spec-text": "nothing"}, "__all__", "A note says something."),
        ({"spec-tool": "none"}, "__all__", "is switched off or gone"),
        ({"key": "shop://hours"}, "key", "There is an entry of this name already."),
        ({"key": "note://a\u200b"}, "key", "cannot be seen"),
        ({"key": "no uri"}, "__all__", "is no URI"),
    ],
)
def test_what_cannot_be_made_is_said(
    client: Client,
    rows: Rows,
    notes: None,
    given: dict[str, str],
    field: str,
    said: str,
) -> None:
    errors = add(client, **given).context["adminform"].form.errors
    assert list(errors) == [field]
    assert len(errors[field]) == 1
    assert said in html.unescape(str(errors[field]))
    assert not CatalogueEntry.objects.filter(source="note").exists()


def test_one_that_cannot_be_served_is_marked_and_the_rest_is_served(
    client: Client,
    rows: Rows,
    served: ShopCatalogue,
    notes: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    add(client, **{"spec-tool": "slow"})
    add(client, key="note://two")
    act(client, "switch_off", rows["slow"])
    broken = CatalogueEntry.objects.get(key="note://one")
    assert shown(broken, served) is None
    assert shown(CatalogueEntry.objects.get(key="note://two"), served) is not None
    reason = "the tool slow is switched off or gone"
    assert f"note://one of resources is not served: {reason}" in caplog.text
    page = words(client.get(f"{LIST}?state=broken"))
    assert reason in page and "note://one" in page and "note://two" not in page
    assert reason in words(client.get(url(broken)))
    act(client, "switch_on", rows["slow"])
    assert shown(broken, served) is not None


def test_without_its_kind_an_entry_is_not_served(
    client: Client, served: ShopCatalogue, notes: None
) -> None:
    add(client)
    with override_settings(MCP_ENTRY_KINDS=[]):
        row = CatalogueEntry.objects.get(source="note")
        row.save()
        assert 'There is no kind of entry "note" any more.' in words(client.get(LIST))
        assert client.get(url(row)).status_code == 200


# The list.


def test_bulk_actions_change_and_say_so_in_the_history(
    client: Client, rows: Rows, served: ShopCatalogue
) -> None:
    chosen = rows["slow"], rows["route"]
    assert "2 entries were changed." in words(act(client, "switch_off", *chosen))
    assert [shown(row, served) for row in chosen] == [None, None]
    assert "1 entry was changed." in words(
        act(client, "switch_off", *chosen, rows["letter"])
    )
    assert "3 entries were changed." in words(
        act(client, "switch_on", *chosen, rows["letter"])
    )
    change(client, rows["slow"], title="Slowly", rate="1/m")
    assert "1 entry was changed." in words(act(client, "reset_to_code", *chosen))
    rows["slow"].refresh_from_db()
    assert rows["slow"].overrides == []
    said = LogEntry.objects.filter(object_id=rows["slow"].pk, action_flag=CHANGE)
    messages = [entry.get_change_message() for entry in said.order_by("pk")]
    assert messages == [
        "Switched off.",
        "Switched on.",
        "Changed Title and Rate.",
        "Reset to the code.",
    ]


def test_what_code_registers_cannot_be_deleted_but_what_it_left_can(
    client: Client, rows: Rows, shelf: Shelf
) -> None:
    assert client.post(f"{url(rows['slow'])[:-7]}delete/").status_code == 403
    shelf.remove("tools", "slow")
    sync(shelf.entries())
    assert "code gone" in words(client.get(f"{LIST}?state=missing"))
    response = act(client, "delete_missing", rows["slow"], rows["route"])
    assert "1 entry was deleted." in words(response)
    assert {row.key for row in CatalogueEntry.objects.filter(kind="tools")} == {
        "count_orders",
        "route",
    }
    assert LogEntry.objects.get(action_flag=DELETION).object_repr == "slow"


def keys(client: Client, query: str) -> set[str]:
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return {row.key for row in response.context["cl"].result_list}


def called(name: str, hours: int = 1, **given: Any) -> None:
    add_calls([call(timedelta(hours=hours), name=name, **given)])


def test_the_list_can_be_searched_and_cut(
    client: Client, rows: Rows, served: ShopCatalogue
) -> None:
    change(client, rows["slow"], tags="orders", title="Patience")
    act(client, "switch_off", rows["letter"])
    called("route")
    called("slow", outcome="tool_error")
    called("count_orders", hours=30)
    tools = {"slow", "route", "count_orders"}
    everything = set(rows)
    for query, found in {
        "": everything,
        "q=patience": {"slow"},
        "q=Take+a+while": {"slow"},
        "kind__exact=tools": tools,
        "kind__exact=templates": {"shop://orders/{pk}"},
        "source=code": everything,
        "tag=orders": {"slow", "count_orders"},
        "tag=none": set(),
        "state=on": everything - {"letter"},
        "state=off": {"letter"},
        "state=missing": set(),
        "state=broken": set(),
        "state=changed": {"slow"},
        "state=unlisted": set(),
        "state=nonsense": everything,
        "calls=some": {"slow", "route"},
        "calls=failed": {"slow"},
        "calls=none": everything - {"slow", "route"},
        "calls=nonsense": everything,
    }.items():
        assert keys(client, query) == found, query


def test_it_tells_how_entries_were_called(client: Client, rows: Rows) -> None:
    for outcome in ("ok", "ok", "tool_error", "timed_out", "cancelled"):
        called("slow", outcome=outcome)
    called("slow", hours=30)
    called("shop://hours", method="resources/read")
    called("letter")  # of another kind
    page = client.get(LIST)
    assert "5 (2 errors)" in words(page)
    found = {r.key: r.calls for r in page.context["cl"].result_list}
    assert (found["slow"].recent, found["slow"].failed) == (5, 2)
    assert (found["shop://hours"].recent, found["letter"].recent) == (1, 0)
    assert found["letter"].last_at is None


def test_as_many_queries_however_many_entries(client: Client, rows: Rows) -> None:
    def more(count: int) -> None:
        made = CatalogueEntry.objects.count()
        CatalogueEntry.objects.bulk_create(
            CatalogueEntry(
                kind="tools",
                key=f"tool_{made + n}",
                app_label=f"app{n % 5}",
                tags=[f"tag{n % 7}"],
            )
            for n in range(count)
        )
        for n in range(5):
            called(f"tool_{made + n}")

    def asked(query: str) -> int:
        client.get(f"{LIST}?{query}")
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{LIST}?{query}").status_code == 200
        return len(captured)

    queries = ("", "state=changed", "tag=tag1", "calls=some", "q=tool_1")
    more(20)
    few = [asked(query) for query in queries]
    more(1000)
    assert [asked(query) for query in queries] == few
    assert max(few) <= 15


# Who may.


def test_who_may_only_look_changes_nothing(client: Client, rows: Rows) -> None:
    staff(client, "view_catalogueentry")
    page = client.get(url(rows["count_orders"]))
    assert page.status_code == 200
    assert "Count the orders." in words(page)
    assert client.post(url(rows["count_orders"]), {"title": "a"}).status_code == 403
    act(client, "switch_off", rows["slow"])
    rows["slow"].refresh_from_db()
    assert rows["slow"].enabled
    assert client.get(ADD).status_code == 403


def test_who_may_nothing_sees_nothing(client: Client, rows: Rows) -> None:
    staff(client)
    assert client.get(LIST).status_code == 403
    assert client.get(url(rows["slow"])).status_code == 403


def test_where_it_is_not_served_the_list_says_so(client: Client) -> None:
    with override_settings(MCP={}):
        assert 'MCP["CATALOGUE"] = ' in words(client.get(LIST))
