"""What the first start makes and shows, and that later ones do neither."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command

from mcpsite.models import Feature
from tools_app.models import State, Token
from tools_app.tokens import TokenAuthenticator

pytestmark = pytest.mark.django_db


def start() -> str:
    out = StringIO()
    call_command("firststart", stdout=out)
    return out.getvalue()


def shown(text: str, label: str) -> str:
    (value,) = re.findall(rf"^  {label} +(\S+)", text, re.MULTILINE)
    return str(value)


def test_the_first_start_shows_a_password_that_works() -> None:
    text = start()
    user: Any = authenticate(
        username=shown(text, "user"), password=shown(text, "password")
    )
    assert user is not None
    assert (user.is_superuser, user.is_staff) == (True, True)
    assert text.count(shown(text, "password")) == 1


def test_the_first_start_shows_a_token_for_everything() -> None:
    text = start()
    (token,) = Token.objects.all()
    assert token.identifier in shown(text, "MCP token")
    assert token.scopes == ["*"]
    assert token.state is State.ACTIVE
    assert token.owner == get_user_model().objects.get(is_superuser=True)


@pytest.mark.django_db(transaction=True)
async def test_the_token_that_is_shown_is_accepted() -> None:
    text = await sync_to_async(start)()
    caller = await TokenAuthenticator().authenticate(shown(text, "MCP token"))
    assert caller is not None
    assert caller.has_scope("tools:call:search_docs")
    assert caller.has_permission("mcpsite.view_feedback")


def test_the_first_start_shows_a_ready_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "9123")
    text = start()
    assert f"-H 'Authorization: Bearer {shown(text, 'MCP token')}'" in text
    assert "curl -sS http://127.0.0.1:9123/mcp" in text


def test_the_first_start_seeds_the_database() -> None:
    start()
    assert Feature.objects.count() > 100


def test_a_later_start_shows_one_line_without_secrets() -> None:
    secret = shown(start(), "MCP token")
    again = start()
    assert again.count("\n") == 1
    assert again.startswith("Ready: ")
    assert secret not in again
    assert (Token.objects.count(), get_user_model().objects.count()) == (1, 1)


def test_a_site_with_an_administrator_gets_no_other() -> None:
    get_user_model().objects.create_superuser("root", "", "secret")
    assert start().startswith("Ready: ")
    assert not Token.objects.exists()
    assert get_user_model().objects.count() == 1


def test_credentials_that_cannot_be_shown_are_not_made() -> None:
    class Closed(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        call_command("firststart", stdout=Closed())
    assert not Token.objects.exists()
    assert not get_user_model().objects.exists()
