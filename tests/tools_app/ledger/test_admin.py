"""The ledger in the admin: found, looked into, changed by nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mcp_transport.engine.observing import Outcome
from tests.tools_app.conftest import Issue
from tests.tools_app.ledger.calls import call
from tests.tools_app.pages import change_url as token_url
from tests.tools_app.pages import history_url, staff, words
from tools_app.ledger import listing
from tools_app.models import Call, CatalogueEntry

pytestmark = pytest.mark.django_db

LIST = "/admin/tools_app/call/"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def page_of(row: Call) -> str:
    return reverse("admin:tools_app_call_change", args=[row.pk])


def listed(client: Client, **query: str) -> set[str]:
    """Return the names that the list shows."""
    response = client.get(LIST, query)
    assert response.status_code == 200
    return {row.name for row in response.context["cl"].result_list}


def add(**given: Any) -> Call:
    row = call(**given)
    row.save()
    return row


def test_calls_are_listed_newest_first(client: Client, root: User) -> None:
    add(name="older", ago=timedelta(minutes=1), outcome=Outcome.ERROR, error="x" * 99)
    add(name="newer", duration_ms=1234.56, client="tester/1")
    response = client.get(LIST)
    names = [row.name for row in response.context["cl"].result_list]
    assert names == ["newer", "older"]
    said = words(response)
    for text in ("1,234.6 ms", "tester/1", "refused", "x" * 80 + "…"):
        assert text in said
    assert "x" * 81 not in said


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "refund"}, {"refund"}),
        ({"q": "token:ada"}, {"refund"}),
        ({"q": "no such order"}, {"ship"}),
        ({"q": TRACE}, {"ship"}),
        ({"q": TRACE[:-1]}, set()),
        ({"outcome__exact": "tool_error"}, {"ship"}),
        ({"method": "prompts/get"}, {"letter"}),
        ({"door": "sse"}, {"letter"}),
        ({"revision": "2024-11-05"}, {"letter"}),
        ({"door": "none"}, set()),
        ({"name__exact": "ship"}, {"ship"}),
        ({"trace_id__exact": TRACE}, {"ship"}),
        ({}, {"refund", "ship", "letter"}),
    ],
)
def test_calls_are_found(
    client: Client, root: User, query: dict[str, str], found: set[str]
) -> None:
    add(name="refund", subject="token:ada")
    add(
        name="ship",
        outcome=Outcome.TOOL_ERROR,
        error="There is no such order.",
        trace_id=TRACE,
    )
    add(name="letter", method="prompts/get", door="sse", revision="2024-11-05")
    assert listed(client, **query) == found


def test_calls_of_a_day_and_of_a_token_are_found(
    client: Client, root: User, issue: Issue
) -> None:
    token, other = issue(name="laptop")[0], issue(name="phone")[0]
    add(name="today", token=token)
    add(name="long ago", token=token, ago=timedelta(days=400))
    today = timezone.localdate()
    assert listed(client, day=str(today)) == {"today"}
    assert listed(client, day=str(today - timedelta(days=400))) == {"long ago"}
    assert listed(client, day=str(today - timedelta(days=1))) == set()
    assert listed(client, token=str(token.pk)) == {"today", "long ago"}
    assert listed(client, token=str(other.pk)) == set()
    assert f"{LIST}?token={token.pk}" in words(client.get(token_url(token)))


@pytest.mark.parametrize(
    "query",
    [
        "day=yesterday",
        "day=9999-12-31",
        "token=x",
        "token=٣",
        f"token={10**40}",
        "nonsense=1",
    ],
)
def test_a_filter_that_is_none_leads_back_to_the_list(
    client: Client, root: User, query: str
) -> None:
    for page in (LIST, f"{LIST}export/"):
        response = client.get(f"{page}?{query}")
        assert response.status_code == 302
        assert "e=1" in response.headers["Location"]


def test_one_call_is_shown_with_all_that_is_about_it(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    entry = LogEntry.objects.create(
        user=root,
        content_type=ContentType.objects.get_for_model(token),
        object_id=str(token.pk),
        object_repr=str(token),
        action_flag=CHANGE,
        change_message="Shipped.",
    )
    row = add(
        arguments={"note": "<b>é</b>", "password": "(hidden)"},
        user=token.owner,
        token=token,
        actor="grace",
        error="<script>",
        outcome=Outcome.ERROR,
        error_code=-32602,
        trace_id=TRACE,
        session_id="ab12",
        log_entry=entry.pk,
    )
    said = words(response := client.get(page_of(row)))
    for url in (
        token_url(token),
        reverse("admin:auth_user_change", args=[token.owner.pk]),
        history_url(token),
        f"{LIST}?trace_id__exact={TRACE}",
        f"{LIST}?session_id__exact=ab12",
        f"{LIST}?name__exact=greet",
    ):
        assert f'href="{url}"' in said
    for text in ("grace", "-32602", "Shipped.", "(hidden)", "25.0 ms"):
        assert text in said
    raw = response.content.decode()
    assert "<script>" not in raw.replace('<script src="', "")
    assert "<b>" not in raw
    assert 'name="_save"' not in said
    entry.delete()
    assert "that was deleted" in words(client.get(page_of(row)))


def test_what_nothing_is_known_of_has_no_link(client: Client, root: User) -> None:
    said = words(client.get(page_of(add())))
    assert "/admin/auth/user/" not in said.partition('id="content"')[2]
    assert "trace_id__exact" not in said


def test_the_entry_of_the_catalogue_is_linked(client: Client, root: User) -> None:
    entry = CatalogueEntry.objects.create(kind="tools", key="greet")
    page = reverse("admin:tools_app_catalogueentry_change", args=[entry.pk])
    assert f'href="{page}"' in words(client.get(page_of(add())))
    other = add(method="prompts/get")
    assert page not in words(client.get(page_of(other)))


def test_nobody_adds_or_changes_a_call(client: Client, root: User) -> None:
    row = add()
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(page_of(row), {"name": "other"}).status_code == 403
    assert client.post(LIST, {"action": "delete_selected"}).status_code in (200, 403)
    assert Call.objects.get().name == "greet"


@pytest.mark.parametrize(
    ("codenames", "sees", "exports", "deletes"),
    [
        ([], False, False, False),
        (["view_call"], True, False, False),
        (["export_call"], False, False, False),
        (["view_call", "export_call"], True, True, False),
        (["view_call", "delete_call"], True, False, True),
    ],
)
def test_each_needs_its_permission(
    client: Client, codenames: list[str], sees: bool, exports: bool, deletes: bool
) -> None:
    row = add()
    staff(client, *codenames)
    shown = client.get(LIST)
    assert (shown.status_code == 200) is sees
    assert (client.get(page_of(row)).status_code == 200) is sees
    assert (client.get(f"{LIST}export/").status_code == 200) is exports
    assert ("Export as CSV" in words(shown)) is exports
    deletion = client.post(f"{page_of(row)[: -len('change/')]}delete/", {"post": "yes"})
    assert (deletion.status_code == 302) is deletes


def test_more_rows_and_more_tokens_are_no_more_queries(
    client: Client, root: User, issue: Issue
) -> None:
    counts = []
    for number in (3, 60):
        tokens = [issue(name=f"token{number}.{n}")[0] for n in range(number)]
        Call.objects.bulk_create(
            call(name=f"tool{n}", token=token, user=token.owner, door=f"door{n}")
            for n, token in enumerate(tokens)
        )
        for query in ("", "?q=tool", "?outcome__exact=ok", f"?token={tokens[0].pk}"):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(f"{LIST}{query}").status_code == 200
            counts.append(len(captured))
    # Where a page holds all, the count tells of them: nothing else is asked.
    assert len(set(counts)) == 1, counts


def test_no_more_are_counted_than_are_listed(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MAX_LISTED", 70)
    monkeypatch.setattr("tools_app.ledger.admin.MAX_LISTED", 70)
    Call.objects.bulk_create(call() for _ in range(69))
    assert "are listed" not in words(client.get(LIST))
    Call.objects.bulk_create(call() for _ in range(31))
    response = client.get(LIST)
    assert response.context["cl"].result_count == 70
    assert "No more than 70 calls are listed." in words(response)
    assert len(client.get(f"{LIST}?p=2").context["cl"].result_list) == 20
