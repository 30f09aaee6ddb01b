"""Two secrets of one token, for a while: in the row, and at the door."""

from __future__ import annotations

import hmac
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from mcp_transport.engine.caller import Caller
from tests.tools_app.conftest import Clock, Issue, ask
from tools_app import credential, lookup, tokens
from tools_app.models import MAX_OVERLAP, Token
from tools_app.tokens import FRESH_S, TokenAuthenticator

# Lookups run in threads, whose connections see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


class Now:
    """The time of day, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    now = Now()
    monkeypatch.setattr(timezone, "now", now)
    return now


def digest_of(text: str) -> str:
    return credential.digest(credential.peppers()[0], text).hex()


def accepted(authenticator: TokenAuthenticator, *texts: str) -> list[bool]:
    return [ask(authenticator, text) is not None for text in texts]


def test_both_secrets_work_and_stand_for_the_same_caller(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, old = issue()
    new = token.rotate()
    assert new != old
    assert credential.public_id_of(new) == credential.public_id_of(old)
    callers = [ask(authenticator, text) for text in (old, new)]
    assert isinstance(callers[0], Caller)
    assert callers[0].same_rights(callers[1])
    assert Token.objects.count() == 1


def test_only_keyed_digests_of_the_secrets_are_kept(issue: Issue) -> None:
    token, old = issue()
    new = token.rotate()
    row = Token.objects.values().get()
    for text in (old, new):
        assert text.rpartition("_")[2] not in str(row)
    assert (row["digest"], row["previous_digest"]) == (digest_of(new), digest_of(old))


def test_neither_secret_pushes_the_other_out_of_memory(
    authenticator: TokenAuthenticator, issue: Issue, queries: list[str]
) -> None:
    token, old = issue()
    new = token.rotate()
    assert accepted(authenticator, old, new) == [True, True]
    queries.clear()
    for _ in range(3):
        assert accepted(authenticator, old, new) == [True, True]
    assert queries == []


def test_a_third_secret_takes_the_place_of_the_first(
    authenticator: TokenAuthenticator, issue: Issue, clock: Clock
) -> None:
    token, first = issue()
    with_others = TokenAuthenticator(clock=clock)
    second = token.rotate()
    assert accepted(authenticator, first, second) == [True, True]
    third = token.rotate()
    assert accepted(authenticator, first, second, third) == [False, True, True]
    assert accepted(with_others, third, first, second) == [True, False, True]


@pytest.mark.parametrize("hours", [0.001, 24, 720])
def test_the_old_secret_ends_with_the_overlap(
    authenticator: TokenAuthenticator,
    issue: Issue,
    clock: Clock,
    now: Now,
    hours: float,
) -> None:
    token, old = issue()
    new = token.rotate(hours * HOUR)
    almost = hours * HOUR - timedelta(seconds=2)
    now.now += almost
    assert accepted(authenticator, old, new) == [True, True]
    # From memory, where it is kept for no longer than it works.
    clock.now_s += 1.9
    assert accepted(authenticator, old) == [True]
    clock.now_s += 0.1
    now.now += timedelta(seconds=2)
    assert accepted(authenticator, old, new) == [False, True]


def test_without_an_overlap_the_old_secret_ends_at_once(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, old = issue()
    assert accepted(authenticator, old) == [True]
    new = token.rotate(timedelta(0))
    assert accepted(authenticator, old, new) == [False, True]
    assert token.old_secret_until is None


def test_the_old_secret_ends_with_the_token(
    authenticator: TokenAuthenticator, issue: Issue, clock: Clock, now: Now
) -> None:
    token, old = issue(expires_at=now.now + HOUR)
    token.rotate(24 * HOUR)
    assert token.old_secret_until == token.expires_at == now.now + HOUR
    # Nor does it live on when the token is given more time.
    token.expires_at += HOUR
    token.save()
    assert token.old_secret_until == now.now + HOUR
    token.expires_at = now.now + HOUR / 2
    token.save()
    assert token.old_secret_until == now.now + HOUR / 2
    now.now += HOUR / 2
    assert accepted(authenticator, old) == [False]


def test_the_overlap_is_ended_early(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, old = issue()
    new = token.rotate()
    assert accepted(authenticator, old, new) == [True, True]
    token.end_old_secret()
    assert accepted(authenticator, old, new) == [False, True]
    assert Token.objects.get().previous_digest == ""
    assert not Token.objects.in_overlap().exists()


def test_a_rotation_elsewhere_acts_within_five_seconds(
    authenticator: TokenAuthenticator, issue: Issue, clock: Clock
) -> None:
    token, old = issue()
    assert accepted(authenticator, old) == [True]
    new = credential.new_token_text(token.public_id)
    Token.objects.update(digest=digest_of(new))  # without a signal in this process
    assert accepted(authenticator, old, new) == [True, True]
    clock.now_s += FRESH_S
    assert accepted(authenticator, old, new) == [False, True]


def test_revoking_withdraws_both_secrets(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, old = issue()
    new = token.rotate()
    assert accepted(authenticator, old, new) == [True, True]
    token.revoke()
    assert accepted(authenticator, old, new) == [False, False]
    assert token.old_secret_until is None


def test_a_lost_secret_that_nobody_used_is_made_again(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, old = issue()
    lost = token.rotate()
    new = token.rotate()
    assert accepted(authenticator, old, lost, new) == [True, False, True]
    newest = token.rotate()
    assert accepted(authenticator, old, new, newest) == [False, True, True]


def test_each_secret_has_its_own_last_use(
    authenticator: TokenAuthenticator, issue: Issue, now: Now
) -> None:
    token, old = issue()
    ask(authenticator, old)
    first = now.now
    now.now += HOUR
    new = token.rotate()
    kept = Token.objects.get()
    assert (kept.previous_last_used_at, kept.last_used_at) == (first, None)
    ask(authenticator, new)
    kept.refresh_from_db()
    assert (kept.previous_last_used_at, kept.last_used_at) == (first, now.now)
    ask(authenticator, old)
    kept.refresh_from_db()
    assert kept.previous_last_used_at == now.now


@pytest.mark.parametrize("hours", [-1, 721])
def test_an_overlap_out_of_bounds_is_refused(issue: Issue, hours: int) -> None:
    token, _ = issue()
    with pytest.raises(ValidationError, match=f"{MAX_OVERLAP.days} days at most"):
        token.rotate(hours * HOUR)
    assert Token.objects.get().digest == token.digest


def test_only_an_active_token_is_rotated(issue: Issue) -> None:
    revoked, _ = issue()
    Token.objects.get().revoke()  # which the one that is asked does not know
    expired, _ = issue(expires_at=timezone.now() - HOUR)
    for token in (revoked, expired):
        before = token.digest
        with pytest.raises(ValidationError, match="Only an active token"):
            token.rotate()
        token.refresh_from_db()
        assert token.digest == before


def test_a_rotation_starts_from_the_row_as_it_is(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    stale, old = issue()
    first = Token.objects.get().rotate()
    assert accepted(authenticator, first) == [True]
    second = stale.rotate()
    assert accepted(authenticator, old, first, second) == [False, True, True]


def test_rotations_at_once_leave_one_new_secret(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    """Nobody has used what was made first, so what is made last takes its place."""
    token, old = issue()
    assert accepted(authenticator, old) == [True]
    together = threading.Barrier(4)

    def rotate(_: int) -> str:
        together.wait(10)
        try:
            return Token.objects.get(pk=token.pk).rotate()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        new = list(threads.map(rotate, range(4)))
    assert len(set(new)) == 4
    assert accepted(authenticator, *new).count(True) == 1
    assert accepted(authenticator, old) == [True]


def test_a_rotation_between_the_two_questions_refuses_nobody(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, old = issue()
    compare = hmac.compare_digest
    rotated: list[str] = []

    def rotate_meanwhile(known: bytes, given: bytes) -> bool:
        if not rotated:
            rotated.append(Token.objects.get().rotate())
        return compare(known, given)

    monkeypatch.setattr(lookup, "compare_digest", rotate_meanwhile)
    assert accepted(authenticator, old) == [True]
    assert accepted(authenticator, *rotated) == [True]
    assert Token.objects.get().previous_last_used_at is not None


def test_each_secret_moves_to_a_new_secret_key(issue: Issue, settings: Any) -> None:
    token, old = issue()
    new = token.rotate()
    before = settings.SECRET_KEY
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[before]):
        assert accepted(TokenAuthenticator(), old, new) == [True, True]
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
        assert accepted(TokenAuthenticator(), old, new) == [True, True]


def test_a_wrong_secret_is_refused_beside_both(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, old = issue()
    new = token.rotate()
    assert accepted(authenticator, old, new) == [True, True]
    wrong = credential.new_token_text(token.public_id)
    assert accepted(authenticator, wrong) == [False]
    assert accepted(authenticator, old, new) == [True, True]
    assert len(authenticator._accepted) == 1
    assert tokens._NOBODY not in authenticator._accepted[token.public_id]
