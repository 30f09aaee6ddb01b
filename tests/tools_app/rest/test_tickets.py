from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from mcp_transport.conf import get_tickets
from mcp_transport.engine.caller import Caller
from tests.tools_app.conftest import Issue, other_secret
from tests.tools_app.rest.conftest import MCP, logged_in, user

# Lookups run in threads, whose connections see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/tickets/"


def ask(client: Client, token: str | None = None) -> Any:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return client.post(URL, headers=headers)


def caller_of(response: Any) -> Caller | None:
    assert response.status_code == 201, response.content
    tickets = get_tickets()
    assert tickets is not None

    async def redeem() -> Caller | None:
        credential = await tickets.redeem(response.json()["ticket"])
        return None if credential is None else await credential.caller()

    return asyncio.run(redeem())


class Elsewhere:
    """An authenticator of tokens that are not ours."""

    async def authenticate(self, token: str) -> Caller | None:
        return Caller("elsewhere") if token == "known" else None


def test_a_bearer_gets_a_ticket(client: Client, issue: Issue) -> None:
    token, text = issue()
    response = ask(client, text)
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    said = response.json()
    assert said["expires_in_s"] == 60
    # What a subprotocol may be: RFC 9110 section 5.6.2.
    assert re.fullmatch(r"[A-Za-z0-9._-]+", said["ticket"])
    assert said["subprotocol"] == f"ticket-{said['ticket']}"
    caller = caller_of(response)
    assert caller is not None
    assert caller.token_id == token.public_id


def test_a_superuser_gets_a_ticket(root: User) -> None:
    caller = caller_of(ask(logged_in(root)))
    assert caller is not None
    assert (caller.subject, caller.is_superuser) == (f"user:{root.pk}", True)


def test_who_may_issue_tokens_gets_a_ticket(db: None) -> None:
    sam = user("add_token")
    caller = caller_of(ask(logged_in(sam)))
    assert caller is not None
    assert caller.permissions == {"tools_app.add_token"}


def test_nobody_else_does(client: Client) -> None:
    assert ask(client).status_code == 401
    assert ask(client)["WWW-Authenticate"] == 'Bearer realm="mcp"'
    few = user("view_token", "change_token", "revoke_token", name="few")
    assert ask(logged_in(few)).status_code == 403
    outsider = user("add_token", name="outsider", is_staff=False)
    assert ask(logged_in(outsider)).status_code == 403


def test_a_session_needs_the_csrf_token(root: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    assert client.post(URL).status_code == 403
    client.get("/admin/")
    client.get("/admin/password_change/")
    token = client.cookies["csrftoken"].value
    assert client.post(URL, headers={"x-csrftoken": token}).status_code == 201


@pytest.mark.parametrize("fate", ["revoked", "wrong"])
def test_a_token_that_is_no_good_gets_none(
    client: Client, issue: Issue, fate: str
) -> None:
    token, text = issue()
    if fate == "revoked":
        token.revoke()
    response = ask(client, text if fate == "revoked" else other_secret(text))
    assert response.status_code == 401
    challenge = 'Bearer realm="mcp", error="invalid_token"'
    assert response["WWW-Authenticate"] == challenge


def test_a_header_that_is_no_credential_gets_none(client: Client) -> None:
    response = client.post(URL, headers={"authorization": "Bearer a b"})
    assert response.status_code == 401
    assert "must be" in response.json()["detail"]


def test_a_bad_token_is_not_made_good_by_a_session(root: User) -> None:
    assert ask(logged_in(root), "nonsense").status_code == 401


def test_tokens_from_elsewhere_get_none(client: Client, root: User) -> None:
    named = [*MCP["AUTHENTICATORS"], f"{__name__}.Elsewhere"]
    with override_settings(MCP={**MCP, "AUTHENTICATORS": named}):
        assert ask(client, "known").status_code == 403
        assert ask(logged_in(root), "known").status_code == 403
        assert ask(client, "unknown").status_code == 401


def test_tickets_that_are_not_used_are_not_issued(root: User) -> None:
    with override_settings(MCP={**MCP, "TICKETS": ""}):
        assert ask(logged_in(root)).status_code == 404


def test_a_ticket_is_not_asked_for_by_get(root: User) -> None:
    assert logged_in(root).get(URL).status_code == 405


def test_an_address_that_fails_too_often_is_told_to_wait(
    client: Client, issue: Issue
) -> None:
    _, text = issue()
    with override_settings(MCP={**MCP, "FAILURES_PER_ADDRESS": "3/d"}):
        statuses = [ask(client, "nonsense").status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        response = ask(client, text)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 86_400


def test_a_token_is_used_from_its_networks_alone(client: Client, issue: Issue) -> None:
    _, near = issue(networks=["127.0.0.0/8"])
    _, far = issue(networks=["192.0.2.0/24"])
    assert ask(client, near).status_code == 201
    assert ask(client, far).status_code == 401
