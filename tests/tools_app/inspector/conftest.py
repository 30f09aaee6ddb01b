"""Administrators at the inspector's endpoint, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings

from tests.wire.client import BOTH, META, MODERN
from tests.wire.client import mirrored as mirrored
from tools_app.models import Token

Call = Callable[..., Any]
MCP = {
    "CATALOGUE": "tests.tools_app.inspector.served.catalogue.shelf",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
}
ENDPOINT = "/admin/tools_app/inspector/mcp"


def message(method: str, **params: Any) -> dict[str, Any]:
    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
    given = {**params, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": given}


def post(client: Client, target: str | None, body: Any, **headers: str) -> Any:
    """Send a message as a page of the admin does; ``headers`` in HTTP's spelling."""
    sent = {"Accept": BOTH, "MCP-Protocol-Version": MODERN, **mirrored(body)}
    if target is not None:
        sent["X-Run-As"] = target
    return client.post(
        headers.pop("path", ENDPOINT),
        json.dumps(body),
        content_type="application/json",
        headers={**sent, **headers},
    )


def token_name(token: Token) -> str:
    return f"token:{token.public_id}"


@pytest.fixture
def shop() -> Iterator[None]:
    urls = "tests.tools_app.inspector.served.urls"
    with override_settings(MCP=MCP, ROOT_URLCONF=urls):
        yield


@pytest.fixture
def sam(client: Client, db: None) -> User:
    """An administrator who may run as others, and nothing else; logged in."""
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="run_as"))
    client.force_login(user)
    return user
