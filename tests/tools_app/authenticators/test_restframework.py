from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from rest_framework.authtoken.models import Token as ApiKey
from rest_framework.request import Request

from mcp_transport.engine.caller import Caller
from tests.tools_app.conftest import Clock
from tools_app.authenticators.restframework import RestFrameworkAuthenticator

pytestmark = pytest.mark.django_db(transaction=True)


class ApiKeys(RestFrameworkAuthenticator):
    classes = [TokenAuthentication]
    scopes = {"tools:call"}


class Letters(BaseAuthentication):
    """Knows users by letters of its own, under a keyword that is nobody's."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        scheme, _, text = request.META["HTTP_AUTHORIZATION"].partition(" ")
        assert scheme == "Bearer"
        assert not request.COOKIES
        user = User.objects.filter(username=text.removeprefix("letter-")).first()
        return (user, None) if user and text.startswith("letter-") else None


class Both(RestFrameworkAuthenticator):
    classes = [Letters, TokenAuthentication]
    scopes = frozenset({"*"})


class Sessions(RestFrameworkAuthenticator):
    classes = [SessionAuthentication]


def ask(authenticator: RestFrameworkAuthenticator, token: str) -> Caller | None:
    return asyncio.run(authenticator.authenticate(token))


@pytest.fixture
def key(owner: User) -> str:
    made: str = ApiKey.objects.create(user=owner).key
    return made


def test_a_key_acts_as_its_user(owner: User, key: str) -> None:
    owner.user_permissions.add(Permission.objects.get(codename="add_user"))
    caller = ask(ApiKeys(), key)
    assert caller is not None
    assert caller.user == owner
    assert caller.subject == f"user:{owner.pk}"
    assert caller.scopes == {"tools:call"}
    assert caller.permissions == {"auth.add_user"}


@pytest.mark.parametrize("token", ["", "wrong", "two words", "é", "Token", "\0"])
def test_what_no_class_knows_is_refused(key: str, token: str) -> None:
    assert ask(ApiKeys(), token) is None
    assert ask(Both(), token) is None


def test_several_classes_are_asked(owner: User, key: str) -> None:
    for token in ("letter-ada", key):
        caller = ask(Both(), token)
        assert caller is not None
        assert caller.user == owner


def test_a_class_that_looks_elsewhere_finds_nobody(key: str) -> None:
    assert ask(Sessions(), key) is None


@pytest.mark.parametrize("fate", ["inactive", "deleted"])
def test_who_is_turned_out_is_refused_within_five_seconds(
    key: str, fate: str, clock: Clock, queries: list[str]
) -> None:
    keys = ApiKeys(clock=clock)
    assert ask(keys, key) is not None
    if fate == "deleted":
        ApiKey.objects.all().delete()
    else:
        User.objects.update(is_active=False)
    queries.clear()
    assert ask(keys, key) is not None
    assert queries == []
    clock.now_s += 5
    assert ask(keys, key) is None


def test_an_inactive_user_is_refused_whatever_a_class_says(owner: User) -> None:
    User.objects.update(is_active=False)
    assert ask(Both(), "letter-ada") is None


def test_as_many_are_remembered_as_there_is_room_for(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools_app.authenticators.remembering.MAX_KNOWN", 2)
    both = Both()
    for name in ("bea", "cy", "dan"):
        User.objects.create_user(name)
        assert ask(both, f"letter-{name}") is not None
    assert len(both._known) == 2
    assert not any(b"letter" in key for key in both._known)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "Wrong.classes must name what to ask"),
        ({"classes": [Letters], "scopes": "*"}, "Wrong.scopes must be a set of scopes"),
        ({"classes": [Letters], "scopes": ["a b"]}, "Wrong.scopes must be a set"),
    ],
)
def test_what_is_missing_is_said(attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        type("Wrong", (RestFrameworkAuthenticator,), attributes)()


def test_it_is_one_of_several_at_the_endpoint(key: str) -> None:
    named = ["tools_app.tokens.TokenAuthenticator", f"{__name__}.ApiKeys"]
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with override_settings(
        MCP={"AUTHENTICATORS": named}, ROOT_URLCONF="mcp_transport.urls"
    ):
        for token, status in ((key, 400), ("wrong", 401)):
            headers = {"host": "localhost", "authorization": f"Bearer {token}"}
            response = Client().post(
                "/mcp", body, content_type="application/json", headers=headers
            )
            # What was let in is told that it names no revision.
            assert response.status_code == status
