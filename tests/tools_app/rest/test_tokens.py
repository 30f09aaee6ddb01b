from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from mcp_transport.transports.admission import authenticate
from tests.tools_app.conftest import Issue
from tests.tools_app.rest.conftest import logged_in, user
from tools_app import credential
from tools_app.models import LIFETIME, State, Token

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/tokens/"
RIGHTS = ["add_token", "view_token", "change_token", "revoke_token", "rotate_token"]


def url(token: Token, action: str = "") -> str:
    return f"{LIST}{token.public_id}/{action}"


def send(client: Client, method: str, path: str, /, **given: Any) -> Any:
    return client.generic(method, path, json.dumps(given), "application/json")


def history(token: Token) -> list[tuple[int, str, int]]:
    entries = LogEntry.objects.filter(object_id=token.pk).order_by("pk")
    return [
        (entry.action_flag, entry.get_change_message(), entry.user_id)
        for entry in entries
    ]


def test_a_new_token_is_shown_with_its_text_once(root: User) -> None:
    client = logged_in(root)
    response = send(client, "POST", LIST, name="laptop", scopes=["tools:call"])
    assert response.status_code == 201, response.content
    assert response["Cache-Control"] == "no-store"
    said = response.json()
    token = Token.objects.get()
    text = said.pop("token")
    assert credential.public_id_of(text) == token.public_id == said["public_id"]
    caller = asyncio.run(authenticate(text))
    assert caller is not None
    assert caller.user == root
    assert caller.scopes == {"tools:call"}
    assert abs(token.expires_at - timezone.now() - LIFETIME) < timedelta(minutes=5)
    assert history(token) == [(ADDITION, "Added.", root.pk)]
    shown = client.get(url(token))
    assert shown.json() == {**said, "last_used_at": shown.json()["last_used_at"]}
    secret = text.rpartition("_")[2]
    for path in (LIST, url(token)):
        page = client.get(path)
        assert page["Cache-Control"] == "no-store"
        assert secret not in page.content.decode()
    assert "digest" not in page.content.decode()


def test_every_field_of_the_admin_may_be_given(root: User) -> None:
    given = {
        "name": "report",
        "owner": "sam",
        "scopes": ["tools:call", "prompts:get"],
        "expires_at": timezone.localtime(timezone.now() + LIFETIME / 2).isoformat(),
        "notes": "monthly",
        "allowed_tools": ["echo"],
        "rate": "5/m",
        "max_calls": 2,
        "networks": ["192.0.2.0/24"],
    }
    user(name="sam")
    said = send(logged_in(root), "POST", LIST, **given).json()
    assert {name: said[name] for name in given} == given
    token = Token.objects.get()
    assert (token.owner.username, token.rate) == ("sam", "5/m")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("scopes", "tools:call"),
        ("scopes", ["tools call"]),
        ("scopes", ["a", "a"]),
        ("expires_at", "2001-01-01T00:00:00Z"),
        ("owner", "nobody"),
        ("rate", "often"),
        ("max_calls", 0),
        ("networks", ["here"]),
        ("allowed_tools", ["not a name"]),
    ],
)
def test_what_the_admin_refuses_is_refused(root: User, name: str, value: Any) -> None:
    given = {"name": "laptop", "scopes": [], name: value}
    response = send(logged_in(root), "POST", LIST, **given)
    assert response.status_code == 400
    assert list(response.json()) == [name]
    assert not Token.objects.exists()


def test_only_superusers_issue_for_others(root: User) -> None:
    client = logged_in(user("add_token"))
    response = send(client, "POST", LIST, name="mine", owner="root", scopes=["*"])
    assert response.status_code == 400
    assert send(client, "POST", LIST, name="mine", scopes=["*"]).status_code == 201
    assert Token.objects.get().owner.username == "sam"


def test_what_was_changed_enters_the_history(root: User, issue: Issue) -> None:
    token, _ = issue()
    response = send(
        logged_in(root), "PATCH", url(token), name="desk", scopes=["prompts:get"]
    )
    assert response.status_code == 200
    assert response.json()["name"] == "desk"
    token.refresh_from_db()
    assert (token.name, token.scopes) == ("desk", ["prompts:get"])
    assert history(token) == [(CHANGE, "Changed Name and Scopes.", root.pk)]
    send(logged_in(root), "PATCH", url(token), name="desk")
    assert len(history(token)) == 1


@pytest.mark.parametrize(
    "given", [{"owner": "root"}, {"expires_at": "2001-01-01T00:00:00Z"}]
)
def test_what_is_fixed_stays(root: User, issue: Issue, given: dict[str, str]) -> None:
    token, _ = issue()
    assert send(logged_in(root), "PATCH", url(token), **given).status_code == 400
    token.refresh_from_db()
    assert token.owner.username == "ada"
    assert token.state is State.ACTIVE


def test_what_is_of_the_record_cannot_be_written(root: User, issue: Issue) -> None:
    token, _ = issue()
    before = Token.objects.values().get()
    given = {"public_id": "x", "revoked_at": None, "digest": "00", "state": "expired"}
    assert send(logged_in(root), "PATCH", url(token), **given).status_code == 200
    assert Token.objects.values().get() == before


@pytest.mark.parametrize("public_id", ["gone", "a%00", "%00", "a-b"])
def test_what_is_no_token_is_not_found(root: User, public_id: str) -> None:
    response = logged_in(root).get(f"/api/tokens/{public_id}/")
    assert response.status_code == 404


def test_a_revoked_token_is_a_record(root: User, issue: Issue) -> None:
    token, text = issue()
    assert asyncio.run(authenticate(text)) is not None
    client = logged_in(root)
    response = send(client, "POST", url(token, "revoke/"))
    assert response.json()["state"] == "revoked"
    assert asyncio.run(authenticate(text)) is None
    again = send(client, "POST", url(token, "revoke/"))
    assert again.json()["revoked_at"] == response.json()["revoked_at"]
    assert history(token) == [(CHANGE, "Revoked.", root.pk)]
    assert send(client, "PATCH", url(token), scopes=["*"]).status_code == 400
    assert send(client, "PATCH", url(token), notes="lost").status_code == 200


def test_a_rotated_token_is_shown_with_its_new_text(root: User, issue: Issue) -> None:
    token, old = issue()
    client = logged_in(root)
    response = send(client, "POST", url(token, "rotate/"), overlap_hours=1)
    assert response.status_code == 200, response.content
    new = response.json()["token"]
    assert response.json()["old_secret_until"] is not None
    assert asyncio.run(authenticate(old)) is not None
    assert asyncio.run(authenticate(new)) is not None
    [(flag, message, by)] = history(token)
    assert (flag, by) == (CHANGE, root.pk)
    assert message.startswith("Rotated; until ")
    assert (
        send(client, "POST", url(token, "rotate/"), overlap_hours=-1).status_code == 400
    )
    token.refresh_from_db()
    token.revoke()
    response = send(client, "POST", url(token, "rotate/"))
    assert response.status_code == 400
    assert response.json() == ["Only an active token can be rotated."]


REQUESTS = [
    ("add_token", "POST", LIST, {"name": "x", "scopes": []}),
    ("view_token", "GET", LIST, {}),
    ("view_token", "GET", "{token}", {}),
    ("change_token", "PATCH", "{token}", {"name": "x"}),
    ("revoke_token", "POST", "{token}revoke/", {}),
    ("rotate_token", "POST", "{token}rotate/", {}),
]


@pytest.mark.parametrize(("needed", "method", "path", "given"), REQUESTS)
def test_each_needs_its_own_permission(
    issue: Issue, needed: str, method: str, path: str, given: dict[str, Any]
) -> None:
    sam = user(*RIGHTS)
    token, _ = issue(owner=sam)
    path = path.format(token=url(token))
    assert send(logged_in(sam), method, path, **given).status_code < 300
    less = user(*(r for r in RIGHTS if r != needed), name="less")
    # Who may change may view, as everywhere in the admin.
    expected = 200 if needed == "view_token" else 403
    assert send(logged_in(less), method, path, **given).status_code == expected
    alone = user(needed, name="alone", is_staff=False)
    assert send(logged_in(alone), method, path, **given).status_code == 403
    assert send(Client(), method, path, **given).status_code == 403


def test_who_may_nothing_sees_nothing(issue: Issue) -> None:
    token, _ = issue()
    client = logged_in(user())
    assert client.get(LIST).status_code == 403
    assert client.get(url(token)).status_code == 403


def test_others_tokens_are_rotated_by_superusers_alone(issue: Issue) -> None:
    token, _ = issue()
    client = logged_in(user(*RIGHTS))
    assert send(client, "POST", url(token, "rotate/")).status_code == 403
    assert send(client, "POST", url(token, "revoke/")).status_code == 200


def test_a_token_opens_nothing_here(issue: Issue, root: User) -> None:
    token, text = issue(owner=root, scopes=["*"])
    headers = {"authorization": f"Bearer {text}"}
    for path in (LIST, url(token), "/api/catalogue/", "/api/schema/"):
        assert Client().get(path, headers=headers).status_code == 403


def test_a_session_needs_the_csrf_token(root: User, issue: Issue) -> None:
    token, _ = issue()
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    assert client.post(url(token, "revoke/")).status_code == 403
    token.refresh_from_db()
    assert token.state is State.ACTIVE


def test_a_token_is_not_deleted(root: User, issue: Issue) -> None:
    token, _ = issue()
    assert logged_in(root).delete(url(token)).status_code == 405
    assert send(logged_in(root), "PUT", url(token)).status_code == 405


def test_the_list_has_pages_an_order_and_a_search(root: User, issue: Issue) -> None:
    for name in ("b-1", "a-1", "c-1"):
        issue(name=name)
    client = logged_in(root)

    def names(query: str) -> list[str]:
        return [
            one["name"][0] for one in client.get(f"{LIST}?{query}").json()["results"]
        ]

    assert names("") == ["c", "a", "b"]
    assert names("ordering=name") == ["a", "b", "c"]
    assert names("ordering=-name&page_size=2") == ["c", "b"]
    assert names("ordering=-name&page_size=2&page=2") == ["a"]
    assert names("search=b-1") == ["b"]
    assert client.get(f"{LIST}?page_size=2").json()["count"] == 3
