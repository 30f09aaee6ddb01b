from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.tools_app.conftest import Issue
from tests.tools_app.inspector.conftest import ENDPOINT, message, post, token_name
from tools_app.models import Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]

LIST = message("tools/list")
WHOAMI = message("tools/call", name="whoami", arguments={})


@pytest.fixture
def token(issue: Issue) -> Token:
    made: Token = issue(scopes=["*"])[0]
    return made


def result(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()["result"]


def bearing(text: str) -> dict[str, str]:
    """Return what a client of the endpoint itself sends."""
    return {"path": "/mcp", "Host": "testserver", "Authorization": f"Bearer {text}"}


def reason(response: Any) -> str:
    assert response["Content-Type"] == "application/json"
    return str(response.json()["error"]["message"])


def test_an_administrator_sees_what_the_bearer_of_a_token_sees(
    client: Client, sam: User, issue: Issue
) -> None:
    token, text = issue(scopes=["*"], allowed_tools=["brew", "close_shop", "whoami"])
    own = post(Client(), None, LIST, **bearing(text))
    seen = post(client, token_name(token), LIST)
    assert seen.content == own.content
    assert [tool["name"] for tool in result(seen)["tools"]] == ["brew", "whoami"]
    assert seen["Cache-Control"] == "no-store"


def test_what_runs_runs_as_the_other_and_names_the_administrator(
    client: Client, sam: User, token: Token
) -> None:
    said = result(post(client, token_name(token), WHOAMI))["structuredContent"]
    subject = f"inspector:{sam.pk}:as:token:{token.public_id}"
    assert said == {"user": "ada", "subject": subject, "actor": "sam"}
    said = result(post(client, f"user:{token.owner.pk}", WHOAMI))["structuredContent"]
    assert said["user"] == "ada" and said["subject"].endswith(
        f":as:user:{token.owner.pk}"
    )


def test_each_run_is_in_the_history_of_whom_it_was_run_as(
    client: Client, sam: User, token: Token
) -> None:
    name = token_name(token)
    post(client, name, LIST)
    post(client, name, WHOAMI)
    post(client, name, message("resources/read", uri="shop://stock"))
    post(client, f"user:{token.owner.pk}", message("prompts/get", name="letter"))
    entries = LogEntry.objects.order_by("pk")
    assert [entry.get_change_message() for entry in entries] == [
        f"Ran the tool whoami as {token}.",
        f"Read the resource shop://stock as {token}.",
        "Got the prompt letter as ada.",
    ]
    assert {entry.user for entry in entries} == {sam}
    assert [entry.get_edited_object() for entry in entries] == [
        token,
        token,
        token.owner,
    ]


def test_what_http_refuses_is_no_run(client: Client, sam: User, token: Token) -> None:
    name = token_name(token)
    refused = post(client, name, WHOAMI, Accept="text/html")
    assert refused.status_code == 406
    for body in ("{", '{"jsonrpc": "2.0"}', "[]"):
        broken = client.post(
            ENDPOINT, body, content_type="application/json", headers={"X-Run-As": name}
        )
        assert broken.status_code == 400
    assert not LogEntry.objects.exists()


def test_what_the_administrator_spends_the_caller_keeps(
    client: Client, sam: User, issue: Issue
) -> None:
    token, text = issue(scopes=["*"], rate="3/d")
    ring = message("tools/call", name="ring", arguments={})
    name = token_name(token)
    statuses = [post(client, name, ring).status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]  # the tool's rate, then the token's
    others = Client()
    statuses = [post(others, None, ring, **bearing(text)).status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]


def test_running_as_a_token_is_no_use_of_it(
    client: Client, sam: User, token: Token
) -> None:
    result(post(client, token_name(token), WHOAMI))
    token.refresh_from_db()
    assert token.last_used_at is None


def test_who_is_not_logged_in_is_told_so_in_json(client: Client, token: Token) -> None:
    name = token_name(token)
    for stranger in (client, Client(enforce_csrf_checks=True)):
        refused = post(stranger, name, LIST)
        assert refused.status_code == 401 and "not logged in" in reason(refused)
    client.force_login(User.objects.create_user("kim"))
    assert post(client, name, LIST).status_code == 401


def test_a_session_that_has_ended_ends_it(
    client: Client, sam: User, token: Token
) -> None:
    name = token_name(token)
    assert post(client, name, LIST).status_code == 200
    client.session.flush()
    assert post(client, name, LIST).status_code == 401


def test_no_other_permission_is_enough(client: Client, token: Token) -> None:
    kim = User.objects.create_user("kim", is_staff=True)
    kim.user_permissions.set(Permission.objects.exclude(codename="run_as"))
    client.force_login(kim)
    refused = post(client, token_name(token), LIST)
    assert refused.status_code == 403 and "may not run as others" in reason(refused)


def test_a_request_without_the_csrf_token_is_refused(sam: User, token: Token) -> None:
    strict, name = Client(enforce_csrf_checks=True), token_name(token)
    strict.force_login(sam)
    refused = post(strict, name, LIST)
    assert refused.status_code == 403 and "CSRF" in reason(refused)
    strict.get("/admin/tools_app/inspector/")
    given = {"X-CSRFToken": strict.cookies["csrftoken"].value}
    assert post(strict, name, LIST, **given).status_code == 200
    foreign = post(strict, name, LIST, Origin="https://evil.example", **given)
    assert foreign.status_code == 403 and "evil.example" in reason(foreign)
    own = post(strict, name, LIST, Origin="http://testserver", **given)
    assert own.status_code == 200
    assert post(strict, name, LIST, **{"X-CSRFToken": "x" * 32}).status_code == 403


@pytest.mark.parametrize("name", [None, "", "ada", "token:", "user:1 OR 1=1"])
def test_a_request_has_to_say_whom_it_is_made_as(
    client: Client, sam: User, name: str | None
) -> None:
    refused = post(client, name, LIST)
    assert refused.status_code == 400 and "X-Run-As" in reason(refused)


def test_as_whom_one_may_not_run_nothing_is_seen(
    client: Client, sam: User, token: Token
) -> None:
    root = User.objects.create_superuser("root")
    names = ["token:abcdefghijkl", "user:0", f"user:{root.pk}"]
    token.revoke()
    for name in [*names, token_name(token)]:
        refused = post(client, name, WHOAMI)
        assert refused.status_code == 403, name
        assert "result" not in refused.json()
    assert not LogEntry.objects.exists()


def test_who_gains_a_right_is_out_of_reach_at_once(
    client: Client, sam: User, token: Token
) -> None:
    name = token_name(token)
    assert post(client, name, LIST).status_code == 200
    right = Permission.objects.get(codename="delete_user")
    token.owner.user_permissions.add(right)
    refused = post(client, name, LIST)
    assert refused.status_code == 403 and "auth.delete_user" in reason(refused)
    sam.user_permissions.add(right)
    tools = result(post(client, name, LIST))["tools"]
    assert "close_shop" in {tool["name"] for tool in tools}


def test_a_bearer_token_opens_nothing_here(client: Client, issue: Issue) -> None:
    token, text = issue(scopes=["*"])
    refused = post(client, token_name(token), LIST, Authorization=f"Bearer {text}")
    assert refused.status_code == 401


def test_another_admin_site_has_an_inspector_of_its_own(
    client: Client, sam: User, token: Token
) -> None:
    path = "/office/tools_app/inspector/mcp/"
    assert post(client, token_name(token), LIST, path=path).status_code == 200
    client.logout()
    assert post(client, token_name(token), LIST, path=path).status_code == 401
