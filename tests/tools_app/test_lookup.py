from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import override_settings
from django.utils import timezone

from tests.tools_app.conftest import Clock, Issue, ask, other_secret
from tools_app import credential, lookup, tokens
from tools_app.models import Token, TokenQuerySet
from tools_app.tokens import FRESH_S, TokenAuthenticator

# Lookups run in threads, whose connections see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 8
WAIT_S = 30


def test_a_wrong_secret_costs_what_an_unknown_id_costs(
    authenticator: TokenAuthenticator, issue: Issue, queries: list[str]
) -> None:
    _, text = issue()
    ask(authenticator, text)
    costs = []
    for refused in (other_secret(text), credential.new_token_text("0" * 12)):
        queries.clear()
        assert ask(authenticator, refused) is None
        costs.append(list(queries))
    assert costs[0] == costs[1]
    assert len(costs[0]) == 1


def test_a_token_that_is_deleted_meanwhile_is_refused(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()

    def delete_meanwhile(known: bytes, given: bytes) -> bool:
        Token.objects.all().delete()
        return known == given

    monkeypatch.setattr(lookup, "compare_digest", delete_meanwhile)
    assert ask(authenticator, text) is None
    assert not Token.objects.exists()


def test_a_token_without_a_secret_is_refused(
    authenticator: TokenAuthenticator, owner: User
) -> None:
    token = Token.objects.create(name="half made", owner=owner, scopes=["*"])
    text = credential.new_token_text(token.public_id)
    assert ask(authenticator, text) is None


def test_lookups_leave_no_connection_open(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()
    left: list[Any] = []

    def look(*args: Any) -> lookup.Grant | None:
        grant = lookup.look_up(*args)
        left.append(connection.connection)
        return grant

    monkeypatch.setattr(tokens, "look_up", look)
    assert ask(authenticator, text) is not None
    assert left == [None]


def test_use_is_recorded_at_most_once_a_minute(
    authenticator: TokenAuthenticator,
    issue: Issue,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token, text = issue()
    start = now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    seen = []
    for passed_s in (0, 59, 60, 61):
        now = start + timedelta(seconds=passed_s)
        clock.now_s += FRESH_S
        assert ask(authenticator, text) is not None
        seen.append(Token.objects.get(pk=token.pk).last_used_at)
    minute = start + timedelta(seconds=60)
    assert seen == [start, start, minute, minute]


def test_of_many_processes_one_records_a_use(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()
    written: list[int] = []
    update = TokenQuerySet.update

    def counting(self: TokenQuerySet, **changes: Any) -> int:
        rows = update(self, **changes)
        written.append(rows)
        return rows

    monkeypatch.setattr(TokenQuerySet, "update", counting)
    together = threading.Barrier(PROCESSES)
    peppers = credential.peppers()
    public_id = credential.public_id_of(text)
    assert public_id is not None

    def use() -> bool:
        together.wait(WAIT_S)
        return lookup.look_up(public_id, text, peppers) is not None

    for minute in range(1, 3):
        with ThreadPoolExecutor(PROCESSES) as pool:
            uses = [pool.submit(use) for _ in range(PROCESSES)]
            assert all(used.result(WAIT_S) for used in uses)
        assert sum(written) == minute
        later = timezone.now() + timedelta(seconds=60)
        monkeypatch.setattr(timezone, "now", lambda later=later: later)


def test_what_another_process_recorded_meanwhile_stays(issue: Issue) -> None:
    token, _ = issue()
    theirs = timezone.now() + timedelta(seconds=1)
    Token.objects.update(last_used_at=theirs)
    assert token.last_used_at is None
    lookup._record_use(token, lookup.CURRENT, token.digest)
    assert Token.objects.get().last_used_at == theirs


def test_a_refused_token_is_not_recorded_as_used(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue()
    ask(authenticator, other_secret(text))
    token.revoke()
    ask(authenticator, text)
    assert Token.objects.get(pk=token.pk).last_used_at is None


def test_a_token_is_accepted_while_its_use_cannot_be_recorded(
    authenticator: TokenAuthenticator,
    issue: Issue,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    token, text = issue()

    def fail(*_: object, **__: object) -> int:
        raise DatabaseError("read-only")

    monkeypatch.setattr("tools_app.models.TokenQuerySet.update", fail)
    assert ask(authenticator, text) is not None
    assert [record.name for record in caplog.records] == ["tools_app.lookup"]
    assert token.public_id in caplog.text
    assert text not in caplog.text


def test_a_rotated_secret_key_keeps_tokens_and_moves_them(
    issue: Issue, settings: Any
) -> None:
    _, text = issue()
    old = settings.SECRET_KEY
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[old]):
        assert ask(TokenAuthenticator(), text) is not None
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
        assert ask(TokenAuthenticator(), text) is not None
    with override_settings(SECRET_KEY=old, SECRET_KEY_FALLBACKS=[]):
        assert ask(TokenAuthenticator(), text) is None


def test_a_pepper_is_rotated_while_processes_still_have_the_old_one(
    issue: Issue,
) -> None:
    old, new = "o" * 32, "n" * 32
    named = {"AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"]}

    def accepted(pepper: str, *fallbacks: str) -> bool:
        peppers = {"TOKEN_PEPPER": pepper, "TOKEN_PEPPER_FALLBACKS": list(fallbacks)}
        with override_settings(MCP={**named, **peppers}):
            return ask(TokenAuthenticator(), text) is not None

    with override_settings(MCP={**named, "TOKEN_PEPPER": old}):
        _, text = issue()
    # First every process knows the new one, then one after another uses it.
    assert accepted(old, new)
    assert accepted(new, old)
    assert accepted(old, new)
    assert accepted(new, old)
    # At last the token is under the new one alone.
    assert accepted(new)
    assert not accepted(old)


def test_a_secret_key_that_is_gone_withdraws_tokens(issue: Issue) -> None:
    _, text = issue()
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
        assert ask(TokenAuthenticator(), text) is None
