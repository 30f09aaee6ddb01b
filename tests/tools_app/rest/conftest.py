"""The REST interface, asked by users who are logged in and by bearers of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client, override_settings

MCP: dict[str, Any] = {
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "TICKETS": "tools_app.tickets.SingleUse",
}


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    cache.clear()
    with override_settings(MCP=MCP):
        yield


def user(*codenames: str, name: str = "sam", is_staff: bool = True) -> User:
    made = User.objects.create_user(name, is_staff=is_staff)
    made.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="tools_app", codename__in=codenames
        )
    )
    assert made.user_permissions.count() == len(codenames)
    return made


def logged_in(made: User) -> Client:
    client = Client()
    client.force_login(made)
    return client


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", password="secret")
