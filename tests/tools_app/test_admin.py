from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.tools_app.conftest import Issue
from tests.tools_app.pages import (
    ADD,
    LIST,
    TEXT,
    change_url,
    form,
    history_url,
    revoke_url,
    rotate_url,
    staff,
    words,
)
from tools_app import credential
from tools_app.models import State, Token

pytestmark = pytest.mark.django_db


def add(client: Client, owner: User, /, **given: Any) -> Any:
    return client.post(ADD, form(owner, **given))


def row() -> dict[str, Any]:
    [values] = Token.objects.values()
    return dict(values)


def test_a_new_token_is_shown_with_its_text(client: Client, root: User) -> None:
    response = add(client, root)
    assert response.status_code == 200
    token = Token.objects.get()
    [text] = TEXT.findall(words(response))
    assert credential.public_id_of(text) == token.public_id
    assert token.digest == credential.digest(credential.peppers()[0], text).hex()
    assert (token.name, token.owner) == ("laptop", root)
    assert token.scopes == ["tools:call", "resources:read"]
    assert "no-store" in response["Cache-Control"]


def test_the_text_is_shown_once_and_kept_nowhere(
    client: Client, root: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = add(client, root)
    [text] = TEXT.findall(words(response))
    secret = text.rpartition("_")[2]
    token = Token.objects.get()
    for url in (LIST, change_url(token), history_url(token), ADD):
        page = client.get(url)
        assert page.status_code == 200
        assert secret not in words(page)
    assert secret not in str(response.headers) + str(response.cookies)
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert secret not in str(sessions)
    assert secret not in str(list(LogEntry.objects.values()))
    assert secret not in str(list(Token.objects.values()))
    assert secret not in caplog.text


@pytest.mark.parametrize("button", ["_continue", "_addanother", "_popup"])
def test_every_button_shows_the_text(client: Client, root: User, button: str) -> None:
    response = add(client, root, **{button: "1"})
    assert response.status_code == 200
    assert len(TEXT.findall(words(response))) == 1


def test_a_token_whose_text_cannot_be_shown_is_not_kept(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> HttpResponse:
        raise RuntimeError("no page")

    monkeypatch.setattr("tools_app.admin.render", fail)
    with pytest.raises(RuntimeError, match="no page"):
        add(client, root)
    assert not Token.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("scopes", ["a:b c,d", "a:b\r\nc\r\n\r\nd\r\n", " a:b ,c, d,c"])
def test_scopes_are_written_in_lines_or_between_commas(
    client: Client, root: User, scopes: str
) -> None:
    add(client, root, scopes=scopes)
    assert Token.objects.get().scopes == ["a:b", "c", "d"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scopes": "tools::call"}, "'tools::call' is not a scope"),
        ({"expires_at_0": "2001-01-01"}, "Choose a time in the future."),
        ({"expires_at_0": ""}, "This field is required."),
        ({"owner": "999"}, "Select a valid choice."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_wrong_form_is_explained_and_issues_nothing(
    client: Client, root: User, given: dict[str, str], message: str
) -> None:
    response = add(client, root, **given)
    assert response.status_code == 200
    assert message in words(response)
    assert TEXT.search(words(response)) is None
    assert not Token.objects.exists()


def test_a_form_that_was_left_open_too_long_is_explained(
    client: Client, root: User
) -> None:
    past = {"expires_at_0": "2001-01-01", "expires_at_1": "00:00:00"}
    offered = {f"initial-{name}": value for name, value in past.items()}
    response = add(client, root, **past, **offered)
    assert "Choose a time in the future." in words(response)
    assert not Token.objects.exists()


def test_the_form_offers_ninety_days_and_names_the_scopes(
    client: Client, root: User
) -> None:
    response = client.get(ADD)
    offered = timezone.localtime() + timedelta(days=90)
    assert offered.strftime("%Y-%m-%d") in words(response)
    for scope in ("tools:call:NAME", "resources:read", "prompts:get", "*"):
        assert scope in words(response)


def test_who_is_no_superuser_issues_only_for_themselves(
    client: Client, owner: User
) -> None:
    sam = staff(client, "add_token")
    page = words(client.get(ADD))
    assert f'<option value="{sam.pk}" selected>sam</option>' in page
    assert f'value="{owner.pk}"' not in page
    assert "admin-autocomplete" not in page
    refused = add(client, owner)
    assert "Select a valid choice." in words(refused)
    assert not Token.objects.exists()
    assert len(TEXT.findall(words(add(client, sam)))) == 1


def test_a_superuser_searches_for_the_owner(client: Client, root: User) -> None:
    assert "admin-autocomplete" in words(client.get(ADD))


def test_a_superuser_chooses_from_a_list_where_users_are_not_in_the_admin(
    client: Client, root: User, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry: dict[Any, Any] = admin.site._registry
    monkeypatch.delitem(registry, User)
    page = words(client.get(ADD))
    assert "admin-autocomplete" not in page
    assert f'<option value="{owner.pk}">ada</option>' in page


def test_the_list_tells_what_tokens_are_for_and_how_they_stand(
    client: Client, root: User, issue: Issue
) -> None:
    active, text = issue(name="one", scopes=["tools:call", "prompts:get"])
    revoked, _ = issue(name="two")
    revoked.revoke()
    issue(name="three", expires_at=timezone.now() - timedelta(days=1))
    page = words(client.get(LIST))
    for shown in ("tools:call, prompts:get", active.identifier, "ada", *State.labels):
        assert f">{shown}<" in page
    assert text not in page


def test_the_list_asks_the_database_the_same_for_any_number_of_tokens(
    client: Client, root: User, issue: Issue, queries: list[str]
) -> None:
    client.get(LIST)
    counts = []
    for name in ("one", "two", "three"):
        issue(owner=User.objects.create_user(name))
        queries.clear()
        client.get(LIST)
        counts.append(len(queries))
    assert counts == [counts[0]] * 3


@pytest.mark.parametrize("state", list(State))
def test_the_list_can_be_narrowed_to_a_state(
    client: Client, root: User, issue: Issue, state: State
) -> None:
    issue(name=State.ACTIVE)
    issue(name=State.EXPIRED, expires_at=timezone.now() - timedelta(days=1))
    issue(name=State.REVOKED)[0].revoke()
    response: Any = client.get(LIST, {"state": state.value})
    assert [token.name for token in response.context["cl"].result_list] == [state]


@pytest.mark.parametrize("term", ["lap", "ada", "find me"])
def test_tokens_are_found_by_name_owner_and_notes(
    client: Client, root: User, issue: Issue, term: str
) -> None:
    found, _ = issue(notes="find me")
    issue(name="other", owner=root)
    response: Any = client.get(LIST, {"q": term})
    assert list(response.context["cl"].result_list) == [found]


def test_tokens_are_found_by_public_id(
    client: Client, root: User, issue: Issue
) -> None:
    found, _ = issue()
    issue()
    response: Any = client.get(LIST, {"q": found.public_id})
    assert list(response.context["cl"].result_list) == [found]


def test_owner_and_record_of_a_token_cannot_be_edited(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    before = row()
    given = form(root, name="renamed", scopes="*", digest="0" * 64, public_id="x" * 12)
    response = client.post(change_url(token), {**given, "revoked_at": "2001-01-01"})
    assert response.status_code == 302
    after = row()
    assert (after.pop("name"), after.pop("scopes")) == ("renamed", ["*"])
    changed = {key for key, value in after.items() if before[key] != value}
    assert changed == {"expires_at"}


def test_a_change_is_in_the_history(client: Client, root: User, issue: Issue) -> None:
    token, _ = issue()
    same = form(root, name="renamed", scopes="tools:call")
    client.post(change_url(token), same)
    entry = LogEntry.objects.get()
    assert entry.action_flag == CHANGE
    assert entry.get_change_message() == "Changed Name and Expires."


def test_an_expired_token_can_be_renamed_as_it_is(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue(
        expires_at=(timezone.now() - timedelta(days=1)).replace(microsecond=0)
    )
    local = timezone.localtime(token.expires_at)
    given = form(
        root,
        name="renamed",
        expires_at_0=local.strftime("%Y-%m-%d"),
        expires_at_1=local.strftime("%H:%M:%S"),
    )
    given["initial-expires_at_0"] = given["expires_at_0"]
    given["initial-expires_at_1"] = given["expires_at_1"]
    assert client.post(change_url(token), given).status_code == 302
    assert Token.objects.get().name == "renamed"


def test_a_revoked_token_is_a_record(client: Client, root: User, issue: Issue) -> None:
    token, _ = issue()
    token.revoke()
    before = row()
    page = words(client.get(change_url(token)))
    assert revoke_url(token) not in page
    client.post(change_url(token), form(root, scopes="*", notes="lost"))
    after = row()
    assert after.pop("notes") == "lost"
    assert all(before[key] == value for key, value in after.items())


def test_selected_tokens_are_revoked_and_entered_in_the_history(
    client: Client, root: User, issue: Issue
) -> None:
    chosen = [issue()[0] for _ in range(3)]
    chosen[0].revoke()
    spared, _ = issue()
    response = client.post(
        LIST,
        {"action": "revoke_selected", "_selected_action": [t.pk for t in chosen]},
        follow=True,
    )
    assert "2 tokens were revoked." in words(response)
    states = {token.pk: token.state for token in Token.objects.all()}
    assert {states[token.pk] for token in chosen} == {State.REVOKED}
    assert states[spared.pk] is State.ACTIVE
    entries = LogEntry.objects.order_by("object_id")
    assert [(e.object_id, e.get_change_message()) for e in entries] == [
        (str(token.pk), "Revoked.") for token in chosen[1:]
    ]


def test_one_token_is_revoked_after_a_question(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    assert f'href="{revoke_url(token)}"' in words(client.get(change_url(token)))
    question = client.get(revoke_url(token))
    assert "cannot be undone" in words(question)
    assert Token.objects.get().state is State.ACTIVE
    response = client.post(revoke_url(token), follow=True)
    assert f"Token {token} is revoked." in words(response)
    assert Token.objects.get().state is State.REVOKED
    assert LogEntry.objects.get().get_change_message() == "Revoked."


def test_revoking_needs_its_permission(client: Client, issue: Issue) -> None:
    token, _ = issue()
    staff(client, "view_token", "change_token", "delete_token")
    assert "revoke_selected" not in words(client.get(LIST))
    assert revoke_url(token) not in words(client.get(change_url(token)))
    assert client.get(revoke_url(token)).status_code == 403
    assert client.post(revoke_url(token)).status_code == 403
    client.post(LIST, {"action": "revoke_selected", "_selected_action": [token.pk]})
    assert Token.objects.get().state is State.ACTIVE


def test_the_permission_to_revoke_is_enough_to_revoke(
    client: Client, issue: Issue
) -> None:
    token, _ = issue()
    staff(client, "view_token", "revoke_token")
    page = words(client.get(change_url(token)))
    assert f'href="{revoke_url(token)}"' in page
    assert 'name="_save"' not in page
    client.post(revoke_url(token))
    assert Token.objects.get().state is State.REVOKED


def test_revoking_needs_a_csrf_token(issue: Issue) -> None:
    token, _ = issue()
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(revoke_url(token)).status_code == 403
    assert Token.objects.get().state is State.ACTIVE


def test_an_unknown_token_is_not_found(client: Client, root: User) -> None:
    url = reverse("admin:tools_app_token_revoke", args=[999])
    assert client.post(url).status_code == 404


def test_strangers_are_sent_to_log_in(client: Client, issue: Issue) -> None:
    token, _ = issue()
    for url in (
        LIST,
        ADD,
        change_url(token),
        revoke_url(token),
        rotate_url(token),
    ):
        response = client.get(url)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("codename", ["view_token", "revoke_token", "change_token"])
def test_issuing_needs_its_permission(client: Client, codename: str) -> None:
    sam = staff(client, codename)
    assert add(client, sam).status_code == 403
    assert not Token.objects.exists()


def test_tokens_are_deleted_one_at_a_time_by_those_who_may(
    client: Client, issue: Issue
) -> None:
    token, _ = issue()
    url = reverse("admin:tools_app_token_delete", args=[token.pk])
    staff(client, "view_token", "delete_token")
    assert "delete_selected" not in words(client.get(LIST))
    chosen = {"action": "delete_selected", "_selected_action": [token.pk]}
    client.post(LIST, {**chosen, "post": "yes"})
    assert Token.objects.exists()
    client.post(url, {"post": "yes"})
    assert not Token.objects.exists()


def test_deleting_needs_its_permission(client: Client, issue: Issue) -> None:
    token, _ = issue()
    staff(client, "view_token", "revoke_token")
    url = reverse("admin:tools_app_token_delete", args=[token.pk])
    assert client.post(url, {"post": "yes"}).status_code == 403
    assert Token.objects.exists()


def test_issuing_is_in_the_history(client: Client, root: User) -> None:
    add(client, root)
    entry = LogEntry.objects.get()
    assert (entry.action_flag, entry.user) == (ADDITION, root)
    assert entry.object_id == str(Token.objects.get().pk)
