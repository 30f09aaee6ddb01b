"""Queries of the models that Django itself has: users and the admin's history."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test.utils import isolate_apps

from mcp_transport import Caller, connect
from mcp_transport.protocol.revisions import REVISIONS
from tests.tools_app.kinds.making import (
    Code,
    caller,
    cleaned,
    complaints,
    made,
    served,
)
from tools_app.kinds.filtering import Filter
from tools_app.kinds.kind import Made
from tools_app.kinds.modelfield import find_path
from tools_app.kinds.query import (
    MAX_PAGE_CHARS,
    QueryKind,
    check_names,
)

pytestmark = pytest.mark.django_db(transaction=True)

Json = dict[str, Any]

HISTORY: Json = {
    "model": "admin.LogEntry",
    "shown_fields": ["object_repr", "action_time", "user__username", "user"],
    "filters": [
        "action_flag",
        "action_flag__in",
        "action_time__gte",
        "action_time__date",
        "user__username__startswith",
        "object_id__isnull",
    ],
    "search_fields": ["object_repr", "user__username"],
    "ordering": ["-action_time", "object_repr", "user__username"],
    "page_size": 10,
}
PLAIN: Json = {"model": "auth.User", "shown_fields": ["username"], "page_size": 10}
VIEW = ["admin.view_logentry", "auth.view_user"]
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password="secret", last_name="Lovelace")


@pytest.fixture
def history(ada: User) -> list[LogEntry]:
    bob = User.objects.create_user("bob", password="secret")
    kind = ContentType.objects.get_for_model(User)
    return LogEntry.objects.bulk_create(
        LogEntry(
            user=ada if number % 3 else bob,
            content_type=kind,
            object_id=None if number == 5 else str(number),
            object_repr=f"page {number:02}",
            action_flag=1 + number % 2,
            action_time=NOON + datetime.timedelta(days=number),
        )
        for number in range(12)
    )


async def call(spec: Json, arguments: Json, **rights: Any) -> Json:
    entry = made("query", "look_up", spec)
    one = caller("*", **{"permissions": VIEW, **rights})
    async with connect(served(entry), caller=one) as client:
        return await client.call_tool("look_up", arguments)


async def rows(spec: Json, arguments: Json, **rights: Any) -> list[Json]:
    result = await call(spec, arguments, **rights)
    assert not result.get("isError"), result
    found: list[Json] = result["structuredContent"]["rows"]
    return found


async def paged(spec: Json, **arguments: Any) -> AsyncIterator[Json]:
    """Give the rows of all pages, as a client goes through them."""
    page: Json = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        result = await call(spec, arguments)
        assert not result.get("isError"), result
        page = result["structuredContent"]
        for row in page["rows"]:
            yield row
        arguments["cursor"] = page["next_cursor"]


async def names(**arguments: Any) -> list[str]:
    return [row["object_repr"] for row in await rows(HISTORY, arguments)]


async def fault(spec: Json, arguments: Json, **rights: Any) -> str:
    result = await call(spec, arguments, **rights)
    assert result["isError"]
    text: str = result["content"][0]["text"]
    return text


# What is found.


async def test_rows_hold_the_fields_that_were_named_and_no_other(
    history: list[LogEntry], ada: User
) -> None:
    first, *_ = await rows(HISTORY, {"limit": 1})
    assert first == {
        "object_repr": "page 11",
        "action_time": "2026-03-12T12:00:00Z",
        "user__username": "ada",
        "user": ada.pk,
    }


async def test_filters_are_combined(history: list[LogEntry]) -> None:
    assert await names(action_flag=2, action_time__gte="2026-03-08") == [
        "page 11",
        "page 09",
        "page 07",
    ]
    assert await names(action_time__date="2026-03-04") == ["page 03"]
    assert await names(user__username__startswith="b", limit=1) == ["page 09"]
    assert await names(object_id__isnull=True) == ["page 05"]
    assert len(await names(action_flag__in=[1, 2])) == 10


async def test_every_word_of_a_search_is_found_somewhere(
    history: list[LogEntry],
) -> None:
    assert await names(search="BOB 09") == ["page 09"]
    assert await names(search="ada 09") == []
    assert await names(search="%") == []


async def test_an_order_is_chosen_among_those_that_were_named(
    history: list[LogEntry],
) -> None:
    assert (await names(order_by="object_repr"))[0] == "page 00"
    assert (await names(order_by="user__username"))[0] == "page 01"
    for order in ("-object_repr", "user__password", "?", "action_flag"):
        assert "order_by" in await fault(HISTORY, {"order_by": order})


async def test_pages_follow_one_another_without_a_gap(history: list[LogEntry]) -> None:
    seen = [row["object_repr"] async for row in paged(HISTORY, limit=5)]
    assert seen == [f"page {number:02}" for number in reversed(range(12))]


@pytest.mark.parametrize("revision", list(REVISIONS))
async def test_every_revision_can_read_it(
    history: list[LogEntry], revision: str
) -> None:
    entry = made("query", "look_up", HISTORY)
    one = caller("*", permissions=VIEW)
    async with connect(served(entry), caller=one, revision=revision) as client:
        result = await client.call_tool("look_up", {"search": "page 03"})
    assert "page 03" in result["content"][0]["text"]


async def test_a_page_is_one_question_to_the_database(
    history: list[LogEntry], queries: list[str]
) -> None:
    await names(search="page", action_flag=2)
    selects = [sql for sql in queries if "django_admin_log" in sql]
    assert len(selects) == 1
    assert "password" not in selects[0]
    assert "last_name" not in selects[0]


async def test_a_page_of_long_texts_ends_early(history: list[LogEntry]) -> None:
    share = MAX_PAGE_CHARS // 4 - 10  # the primary key counts too
    await LogEntry.objects.aupdate(change_message="x" * share)
    spec = {**HISTORY, "shown_fields": ["change_message"]}
    spec["ordering"] = ["-pk"]
    page = (await call(spec, {}))["structuredContent"]
    assert len(page["rows"]) == 4
    page = (await call(spec, {"cursor": page["next_cursor"]}))["structuredContent"]
    assert len(page["rows"]) == 4
    await LogEntry.objects.aupdate(change_message="x" * (MAX_PAGE_CHARS + 1))
    assert [row async for row in paged(spec)] == 12 * [
        {"change_message": "x" * (MAX_PAGE_CHARS + 1)}
    ]


async def test_a_field_that_may_be_empty_is_null(history: list[LogEntry]) -> None:
    spec = {**HISTORY, "shown_fields": ["object_id"], "ordering": []}
    assert await rows(spec, {"object_id__isnull": True}) == [{"object_id": None}]


# Who finds it.


async def listed(spec: Json, **rights: Any) -> bool:
    entry = made("query", "look_up", spec)
    async with connect(served(entry), caller=caller("*", **rights)) as client:
        return bool(await client.list_tools())


async def test_it_needs_the_permission_to_view_each_model_it_looks_into() -> None:
    assert await listed(HISTORY, permissions=VIEW)
    assert await listed(HISTORY, is_superuser=True)
    for permission in VIEW:
        assert not await listed(HISTORY, permissions=[permission])
    for member in ("shown_fields", "filters", "search_fields"):
        own = {**HISTORY, "shown_fields": ["object_repr", "user"], "ordering": []}
        own |= {"filters": [], "search_fields": []}
        assert await listed(own, permissions=["admin.view_logentry"])
        own[member] = ["user__username"]
        assert not await listed(own, permissions=["admin.view_logentry"]), member


async def test_own_rows_are_those_of_the_callers_user(
    history: list[LogEntry], ada: User
) -> None:
    own = {**HISTORY, "owner": "user"}
    found = await rows(own, {}, user=ada)
    assert {row["user"] for row in found} == {ada.pk}
    assert len(found) == 8
    assert await rows(own, {"user__username__startswith": "bob"}, user=ada) == []
    assert "only a user" in (await fault(own, {})).lower()


async def test_own_rows_need_no_right_to_see_the_user(
    history: list[LogEntry], ada: User
) -> None:
    own = {**PLAIN, "model": "admin.LogEntry", "shown_fields": ["object_repr"]}
    own["owner"] = "user"
    assert len(await rows(own, {}, permissions=VIEW[:1], user=ada)) == 8


async def test_a_cursor_is_of_one_caller_and_one_order(
    history: list[LogEntry],
) -> None:
    page = (await call(HISTORY, {"limit": 5}))["structuredContent"]
    arguments = {"limit": 5, "cursor": page["next_cursor"]}
    assert len(await rows(HISTORY, arguments)) == 5
    other = {"order_by": "object_repr", **arguments}
    assert "with the same order" in await fault(HISTORY, other)
    entry = made("query", "look_up", HISTORY)
    somebody = Caller("y", frozenset({"*"}), frozenset(VIEW))
    async with connect(served(entry), caller=somebody) as client:
        result = await client.call_tool("look_up", arguments)
    assert result["isError"]


# What cannot be asked for.


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 11},
        {"limit": 0},
        {"limit": 10**30},
        {"limit": True},
        {"cursor": ""},
        {"cursor": "v1.e30.e30"},
        {"cursor": 5},
        {"action_flag": "x"},
        {"action_flag": 4},
        {"action_flag__in": []},
        {"action_flag__in": [1] * 101},
        {"action_time__gte": "soon"},
        {"action_time__gte": "0001-01-01T00:00:00+14:00"},
        {"action_time__gte": "9999-12-31T23:59:59-12:00"},
        {"object_id__isnull": "maybe"},
        {"user__username__startswith": "a\x00b"},
        {"user__username__startswith": "x" * 1001},
        {"search": "x" * 201},
        {"search": "a\x00"},
        {"password__startswith": "a"},
        {"user__password__startswith": "md5"},
        {"user__username": "ada"},
        {"user__username__regex": "(a+)+$"},
        {"object_repr": "page 01"},
        {"pk": 1},
        {"context": {}},
        {"user__is_superuser": True},
    ],
)
async def test_what_was_not_offered_is_told_in_band(
    history: list[LogEntry], arguments: Json
) -> None:
    text = await fault(HISTORY, arguments)
    assert next(iter(arguments)) in text
    assert "reference" not in text


@pytest.mark.parametrize(
    ("member", "path", "said"),
    [
        ("shown_fields", "password", "looks like a secret"),
        ("filters", "password__startswith", "looks like a secret"),
        ("search_fields", "password", "looks like a secret"),
        ("ordering", "-password", "looks like a secret"),
        ("shown_fields", "passwort", "no field"),
        ("shown_fields", "groups", "many rows"),
        ("shown_fields", "groups__name", "many rows"),
        ("shown_fields", "logentry", "many rows"),
        ("shown_fields", "logentry__object_repr", "many rows"),
        ("shown_fields", "username__lower", "no foreign key"),
        ("shown_fields", "__class__", "no field"),
        ("filters", "username__regex", "no foreign key"),
        ("filters", "username__iregex", "no foreign key"),
        ("filters", "username__gt", "can be filtered by"),
        ("filters", "date_joined__year", "no foreign key"),
        ("filters", "is_staff__in", "can be filtered by"),
        ("search_fields", "id", "only text"),
        ("ordering", "?", "no field"),
        ("ordering", "-last_login", "show last_login too"),
        ("owner", "username", "no foreign key to the user"),
        ("shown_fields", "", "required"),
    ],
)
def test_a_path_that_may_not_be_read_is_refused_at_entry(
    member: str, path: str, said: str
) -> None:
    value = path if member == "owner" else [path] if path else []
    assert said in " ".join(complaints("query", {**PLAIN, member: value})[member])


@pytest.mark.parametrize(
    "path",
    ["digest", "previous_digest", "owner__password", "owner__pk__x"],
)
def test_secrets_of_related_models_stay_secret(path: str) -> None:
    spec = {"model": "tools_app.Token", "shown_fields": [path], "page_size": 10}
    assert complaints("query", spec)["shown_fields"]


@pytest.mark.parametrize(
    "model", ["sessions.Session", "authtoken.Token", "shop.Order", "", "auth"]
)
def test_models_that_are_secrets_or_unknown_are_refused(model: str) -> None:
    assert "model" in complaints("query", {**PLAIN, "model": model})


@pytest.mark.parametrize("size", [0, 201, -1, "x", ""])
def test_a_page_has_bounds(size: Any) -> None:
    assert "page_size" in complaints("query", {**PLAIN, "page_size": size})


def test_what_became_of_the_model_since_is_said_when_it_is_built() -> None:

    spec = cleaned("query", HISTORY)
    for changed in ({"model": "shop.Order"}, {"shown_fields": ["gone"]}):
        broken = Made("look_up", "", "", {**spec, **changed}, Code())
        with pytest.raises(ValueError, match="no model|no field"):
            QueryKind().build(broken)


def test_a_filter_with_the_name_of_another_argument_is_written_otherwise() -> None:
    """No model here has such a field, so the name is that of an argument."""
    path = find_path(User, "username")
    with pytest.raises(ValueError, match="write this filter as limit__exact"):
        check_names([Filter("limit", path, "exact")])
    check_names([Filter("limit__exact", path, "exact")])


@pytest.mark.parametrize("name", ["user", "-user", "user__id", "user__pk"])
async def test_an_order_by_a_foreign_key_is_by_its_values_and_by_no_hidden_field(
    history: list[LogEntry],
    monkeypatch: pytest.MonkeyPatch,
    queries: list[str],
    name: str,
) -> None:
    monkeypatch.setattr(User._meta, "ordering", ["password"])
    queries.clear()
    shown = [name.removeprefix("-"), "user__username", "object_repr"]
    spec = {**HISTORY, "ordering": [name, "object_repr"], "shown_fields": shown}
    found = await rows(spec, {})
    assert queries and not any("password" in sql for sql in queries)
    order = ["bob", "ada"] if name.startswith("-") else ["ada", "bob"]
    assert list(dict.fromkeys(row["user__username"] for row in found)) == order


@isolate_apps("tools_app")
async def test_own_rows_are_those_of_the_key_and_not_of_a_name_that_reads_like_it(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Note(models.Model):
        text = models.TextField()
        owner = models.ForeignKey(User, models.CASCADE, to_field="username")

        class Meta:
            app_label = "tools_app"

        def __str__(self) -> str:
            return self.text

    def create() -> None:
        named_like_ada = User.objects.create_user(str(ada.pk))
        with connection.schema_editor() as editor:
            editor.create_model(Note)
        for owner in (ada, named_like_ada):
            Note(text=f"of {owner.username}", owner=owner).save()

    def delete() -> None:
        with connection.schema_editor() as editor:
            editor.delete_model(Note)

    for place in ("query", "query_form"):
        monkeypatch.setattr(f"tools_app.kinds.{place}.find_model", lambda label: Note)
    await sync_to_async(create)()
    try:
        spec = {**PLAIN, "shown_fields": ["text"], "owner": "owner"}
        found = await rows(spec, {}, permissions=["tools_app.view_note"], user=ada)
    finally:
        await sync_to_async(delete)()
    assert found == [{"text": "of ada"}]
