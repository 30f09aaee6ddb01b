from __future__ import annotations

import html
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
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

HOUR = timedelta(hours=1)


def rotate(client: Client, token: Token, hours: object = 24) -> Any:
    return client.post(rotate_url(token), {"overlap_hours": hours})


def history() -> list[str]:
    entries = LogEntry.objects.order_by("action_time", "pk")
    return [entry.get_change_message() for entry in entries]


def act(client: Client, action: str, *tokens: Token) -> Any:
    chosen = {"action": action, "_selected_action": [token.pk for token in tokens]}
    return client.post(LIST, chosen, follow=True)


def test_a_rotation_shows_the_new_text_once(
    client: Client, root: User, issue: Issue, caplog: pytest.LogCaptureFixture
) -> None:
    token, old = issue()
    with caplog.at_level(logging.DEBUG):
        response = rotate(client, token, 48)
    [text] = TEXT.findall(words(response))
    assert text != old
    kept = Token.objects.get()
    digests = [credential.digest(credential.peppers()[0], t).hex() for t in (text, old)]
    assert [kept.digest, kept.previous_digest] == digests
    assert kept.previous_expires_at is not None
    overlap = kept.previous_expires_at - timezone.now()
    assert 47 * HOUR < overlap <= 48 * HOUR
    assert "the old secret works too." in words(response)
    assert "no-store" in response.headers["Cache-Control"]
    secret = text.rpartition("_")[2]
    for url in (LIST, change_url(token), history_url(token), rotate_url(token)):
        assert secret not in words(client.get(url))
    assert secret not in str(response.headers) + str(response.cookies) + caplog.text
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert secret not in str([sessions, *LogEntry.objects.values()])


def test_the_page_asks_first_and_offers_a_day(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    assert f'href="{rotate_url(token)}"' in words(client.get(change_url(token)))
    page = words(client.get(rotate_url(token)))
    assert 'name="overlap_hours" value="24"' in page
    assert TEXT.search(page) is None
    assert "present secret" not in page
    assert Token.objects.get().digest == token.digest


@pytest.mark.parametrize("hours", ["", "-1", "721", "1.5", "soon"])
def test_a_wrong_overlap_is_explained_and_rotates_nothing(
    client: Client, root: User, issue: Issue, hours: str
) -> None:
    token, _ = issue()
    response = rotate(client, token, hours)
    assert response.status_code == 200
    assert "errorlist" in words(response)
    assert Token.objects.get().digest == token.digest
    assert history() == []


def test_a_rotation_whose_text_cannot_be_shown_is_none(
    client: Client, root: User, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = issue()

    def fail(*_: object, **__: object) -> HttpResponse:
        raise RuntimeError("no page")

    monkeypatch.setattr("tools_app.admin.render", fail)
    with pytest.raises(RuntimeError, match="no page"):
        rotate(client, token)
    assert Token.objects.get().digest == token.digest
    assert history() == []


def test_sending_the_page_again_does_not_end_the_old_secret(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    for _ in range(2):
        assert len(TEXT.findall(words(rotate(client, token)))) == 1
        assert Token.objects.get().previous_digest == token.digest


def test_the_page_tells_which_secret_a_rotation_ends(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    rotate(client, token)
    page = words(client.get(rotate_url(token)))
    assert "Nobody has used the present secret yet." in page
    Token.objects.update(last_used_at=timezone.now())
    assert "an older secret works too." in words(client.get(rotate_url(token)))


def test_only_an_active_token_is_rotated(
    client: Client, root: User, issue: Issue
) -> None:
    revoked, _ = issue()
    revoked.revoke()
    expired, _ = issue(expires_at=timezone.now() - HOUR)
    for token in (revoked, expired):
        assert rotate_url(token) not in words(client.get(change_url(token)))
        response = rotate(client, token)
        assert "Only an active token can be rotated." in words(response)
        assert TEXT.search(words(response)) is None
    assert history() == []


def test_the_list_tells_until_when_old_secrets_work(
    client: Client, root: User, issue: Issue
) -> None:
    rotated, _ = issue(name="rotated")
    rotated.rotate()
    over, _ = issue(name="over")
    over.rotate(timedelta(0))
    issue(name="other")
    response: Any = client.get(LIST, {"old_secret": "works"})
    assert [token.name for token in response.context["cl"].result_list] == ["rotated"]
    assert words(client.get(LIST)).count(">until ") == 1
    everything: Any = client.get(LIST)
    assert len(everything.context["cl"].result_list) == 3
    assert "until " in words(client.get(change_url(rotated)))


def test_old_secrets_are_ended_and_entered_in_the_history(
    client: Client, root: User, issue: Issue
) -> None:
    chosen = [issue()[0] for _ in range(3)]
    spared, _ = issue()
    for token in (*chosen[:2], spared):
        token.rotate()
    response = act(client, "end_old_secrets", *chosen)
    assert "2 old secrets were ended." in words(response)
    assert list(Token.objects.in_overlap()) == [spared]
    assert history() == ["Ended the old secret."] * 2


def test_every_change_is_in_the_history(client: Client, root: User) -> None:
    client.post(ADD, form(root))
    token = Token.objects.get()
    client.post(change_url(token), form(root, name="renamed", rate="60/m"))
    rotate(client, token)
    act(client, "end_old_secrets", token)
    rotate(client, token, 0)
    client.post(revoke_url(token))
    told = history()
    until = told.pop(2)
    assert until.startswith("Rotated; until ")
    assert told == [
        "Added.",
        "Changed Name, Expires and Rate.",
        "Ended the old secret.",
        "Rotated; the old secret has ended.",
        "Revoked.",
    ]
    assert {entry.user for entry in LogEntry.objects.all()} == {root}


def test_rotating_needs_its_permission(client: Client, issue: Issue) -> None:
    sam = staff(client, "add_token", "view_token", "change_token", "revoke_token")
    token, _ = issue(owner=sam)
    token.rotate()
    token.refresh_from_db()
    assert rotate_url(token) not in words(client.get(change_url(token)))
    assert "end_old_secrets" not in words(client.get(LIST))
    assert client.get(rotate_url(token)).status_code == 403
    assert rotate(client, token).status_code == 403
    act(client, "end_old_secrets", token)
    kept = Token.objects.get()
    assert kept.digest == token.digest
    assert kept.old_secret_until is not None


def test_who_is_no_superuser_rotates_only_their_own(
    client: Client, issue: Issue
) -> None:
    sam = staff(client, "view_token", "rotate_token")
    own, _ = issue(owner=sam)
    other, _ = issue()
    assert f'href="{rotate_url(own)}"' in words(client.get(change_url(own)))
    assert len(TEXT.findall(words(rotate(client, own)))) == 1
    assert rotate_url(other) not in words(client.get(change_url(other)))
    refused = rotate(client, other)
    assert refused.status_code == 403
    assert TEXT.search(words(refused)) is None
    assert Token.objects.get(pk=other.pk).digest == other.digest


def test_an_unknown_token_is_not_found_and_a_form_of_others_is_refused(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    assert client.get(rotate_url(Token(pk=999))).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    assert rotate(strict, token).status_code == 403
    assert Token.objects.get().digest == token.digest


def test_who_may_only_view_sees_no_secret_and_no_button(
    client: Client, issue: Issue
) -> None:
    sam = staff(client, "view_token")
    for owner in (sam, User.objects.create_user("eve")):
        token, old = issue(owner=owner)
        new = token.rotate()
        pages = [words(client.get(url)) for url in (LIST, change_url(token))]
        for page in pages:
            for hidden in (*(t.rpartition("_")[2] for t in (old, new)), token.digest):
                assert hidden not in page
            for button in (revoke_url(token), rotate_url(token), 'name="_save"'):
                assert button not in page
            assert 'name="action"' not in page
            assert token.previous_digest not in page
        changed = client.post(change_url(token), form(owner, name="renamed"))
        assert changed.status_code == 403
    assert set(Token.objects.values_list("name", flat=True)) == {"laptop"}
    assert client.get(ADD).status_code == 403


def test_a_change_undoes_nothing_that_came_between(
    client: Client, root: User, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = issue()
    saved = Token.save

    def rotated_meanwhile(self: Token, *args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(Token, "save", saved)
        Token.objects.get().rotate()
        Token.objects.get().revoke()
        saved(self, *args, **kwargs)

    monkeypatch.setattr(Token, "save", rotated_meanwhile)
    client.post(change_url(token), form(root, name="renamed"))
    kept = Token.objects.get()
    assert kept.name == "renamed"
    assert kept.state is State.REVOKED
    assert kept.digest != token.digest == kept.previous_digest


LIMITS = {
    "allowed_tools": "count_orders, echo\nadd",
    "rate": "100/5m",
    "max_calls": "3",
    "networks": "192.0.2.0/24 ::1",
}


def test_the_limits_of_a_token_are_chosen_in_the_form(
    client: Client, root: User
) -> None:
    client.post(ADD, form(root, **LIMITS))
    token = Token.objects.get()
    assert token.allowed_tools == ["count_orders", "echo", "add"]
    assert (token.rate, token.max_calls) == ("100/5m", 3)
    assert token.networks == ["192.0.2.0/24", "::1"]
    page = words(client.get(change_url(token)))
    for shown in ("count_orders\necho\nadd", "100/5m", "192.0.2.0/24\n::1"):
        assert shown in page
    client.post(change_url(token), form(root))
    token.refresh_from_db()
    given = (token.allowed_tools, token.rate, token.max_calls, token.networks)
    assert given == ([], "", None, [])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"allowed_tools": "a/b"}, "'a/b' is not a valid name"),
        ({"rate": "often"}, "'often' is no rate"),
        ({"max_calls": "0"}, "greater than or equal to 1"),
        ({"networks": "192.0.2.1/24"}, "has host bits set"),
    ],
)
def test_a_limit_that_is_none_is_explained(
    client: Client, root: User, given: dict[str, str], message: str
) -> None:
    response = client.post(ADD, form(root, **given))
    assert message in words(response)
    assert html.escape(next(iter(given.values()))) in response.content.decode()
    assert not Token.objects.exists()


def test_the_limits_of_a_revoked_token_are_a_record(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue(rate="60/m")
    token.revoke()
    client.post(change_url(token), form(root, **LIMITS))
    kept = Token.objects.get()
    assert (kept.allowed_tools, kept.rate, kept.max_calls) == ([], "60/m", None)
