"""The examples of docs/authenticators.md, as they stand there, over real HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token as ApiKey

from mcp_transport.engine.caller import Caller
from tests.tools_app.authenticators.issuer import Issuer, serving, signed

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).parents[3] / "docs" / "authenticators.md"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with serving() as made:
        yield made


@pytest.fixture
def examples(issuer: Issuer) -> dict[str, Any]:
    """What the page's Python defines, its issuer of keys being one that there is."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert len(blocks) == 6
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    names["Login"].jwks_url = issuer.url
    return names


def ask(authenticator: Any, token: str) -> Caller | None:
    found: Caller | None = asyncio.run(authenticator.authenticate(token))
    return found


def test_api_keys(examples: dict[str, Any], owner: User) -> None:
    caller = ask(examples["ApiKeys"](), ApiKey.objects.create(user=owner).key)
    assert caller is not None
    assert caller.scopes == {"tools:call", "resources:read"}


def test_login(examples: dict[str, Any], owner: User) -> None:
    User.objects.update(email="ada@example.com")
    caller = ask(examples["Login"](), signed(sub="7", email="ada@example.com"))
    assert caller is not None
    assert caller.user == owner
    assert ask(examples["Login"](), signed(email="eve@example.com")) is None
    assert ask(examples["Login"](), signed(sub="ada")) is None


def test_login_of_staff(examples: dict[str, Any], owner: User) -> None:
    User.objects.update(email="ada@example.com")
    token = signed(email="ada@example.com", groups=["shop-admin"])
    assert ask(examples["LoginOfStaff"](), token) is None
    User.objects.update(is_staff=True)
    caller = ask(examples["LoginOfStaff"](), token)
    assert caller is not None
    assert caller.scopes == {"*"}


def test_the_settings_are_settings(examples: dict[str, Any]) -> None:
    from mcp_transport.conf import read

    conf, problems = read(examples["MCP"])
    assert problems == []
    assert conf.metadata_url is not None
    assert f'resource_metadata="{conf.metadata_url}"' in PAGE.read_text()
