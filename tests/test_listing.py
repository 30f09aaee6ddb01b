from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import override_settings

from mcp_transport import Shelf
from mcp_transport.engine.store import StoreUnavailable

HERE = "tests.test_listing"

shelf, empty = Shelf(), Shelf()


@shelf.tool(permission="auth.view_user")
@shelf.prompt
def count() -> str:
    return "1"


@shelf.resource("docs://{page}")
def page(page: str) -> str:
    return page


class Away(Shelf):
    async def page(self, *_: Any) -> Any:
        raise StoreUnavailable


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    with override_settings(MCP={"CATALOGUE": f"{HERE}.shelf"}):
        yield


def listed(*words: str) -> list[str]:
    out, err = StringIO(), StringIO()
    call_command("mcp", "list", *words, stdout=out, stderr=err)
    return out.getvalue().splitlines() or [err.getvalue()]


def test_each_entry_is_listed_with_what_it_asks_of_its_caller() -> None:
    assert listed() == [
        "kind       key            permission      scope",
        "tools      count          auth.view_user  tools:call:count",
        "templates  docs://{page}  -               resources:read",
        "prompts    count          -               prompts:get",
    ]


def test_a_list_of_several_pages_is_listed_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = listed()
    monkeypatch.setattr("mcp_transport.engine.catalogue.AT_A_TIME", 1)
    shelf.tool(name="another")(page)
    try:
        assert len(listed()) == len(whole) + 1
    finally:
        shelf.remove("tools", "another")


@pytest.mark.django_db
def test_a_user_is_shown_what_that_user_may_use() -> None:
    ada = User.objects.create_user("ada")
    assert [line.split()[0] for line in listed("--user", "ada")[1:]] == [
        "templates",
        "prompts",
    ]
    ada.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert listed("--user", "ada") == listed()
    with pytest.raises(CommandError, match='no user "bob"'):
        listed("--user", "bob")


def test_where_there_is_nothing_it_says_where_entries_come_from() -> None:
    with override_settings(MCP={"CATALOGUE": f"{HERE}.empty"}):
        (said,) = listed()
    assert "the module mcp of each app in INSTALLED_APPS" in said


def test_a_catalogue_that_cannot_be_read_is_said_to_be_so() -> None:
    with (
        override_settings(MCP={"CATALOGUE": f"{HERE}.Away"}),
        pytest.raises(CommandError, match="its database does not answer"),
    ):
        listed()
