from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import DatabaseError, transaction
from django.utils import timezone

from mcp_transport.engine.caller import Caller
from tests.tools_app.conftest import Clock, Issue, ask, other_secret
from tools_app import credential, lookup, tokens
from tools_app.models import Token
from tools_app.tokens import FRESH_S, TokenAuthenticator

# Lookups run in threads, whose connections see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

WAIT_S = 30


def ask_without_loop(authenticator: TokenAuthenticator, text: str) -> Caller | None:
    """Authenticate where suspending is impossible."""
    with pytest.raises(StopIteration) as finished:
        authenticator.authenticate(text).send(None)
    caller: Caller | None = finished.value.value
    return caller


class Gate:
    """Holds lookups until it is opened, and counts them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self, public_id: str, text: str, peppers: Any) -> lookup.Grant | None:
        self.asked.append(text)
        self.entered.release()
        assert self.opened.wait(WAIT_S)
        return lookup.look_up(public_id, text, peppers)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(tokens, "look_up", gate)
    return gate


def in_thread(do: Callable[[], Any]) -> Callable[[], Any]:
    """Start ``do`` in a thread; what is returned waits for its result."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(do()))
    thread.start()

    def result() -> Any:
        thread.join(WAIT_S)
        return results[0]

    return result


def test_a_token_becomes_its_caller(
    authenticator: TokenAuthenticator, issue: Issue, owner: User
) -> None:
    group = Group.objects.create(name="staff")
    group.permissions.add(Permission.objects.get(codename="view_group"))
    owner.groups.add(group)
    owner.user_permissions.add(Permission.objects.get(codename="add_user"))
    token, text = issue(scopes=["tools:call", "resources:read"])
    caller = ask(authenticator, text)
    assert caller is not None
    assert caller.subject == f"token:{token.public_id}"
    assert caller.token_id == token.public_id
    assert caller.scopes == {"tools:call", "resources:read"}
    assert caller.permissions == {"auth.view_group", "auth.add_user"}
    assert caller.user == owner
    assert caller.is_superuser is False
    assert caller.has_scope("tools:call:anything")
    assert not caller.has_scope("prompts:get")


def test_two_tokens_of_one_user_are_two_subjects(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    subjects = set()
    for _ in range(2):
        caller = ask(authenticator, issue()[1])
        assert caller is not None
        subjects.add(caller.subject)
    assert len(subjects) == 2


def test_a_superuser_is_told_and_no_scope_still_means_nothing(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    root = User.objects.create_superuser("root")
    caller = ask(authenticator, issue(owner=root, scopes=[])[1])
    assert caller is not None
    assert caller.is_superuser
    assert caller.scopes == frozenset()
    assert not caller.has_scope("tools:call")


def test_a_hit_asks_no_database_and_never_suspends(
    authenticator: TokenAuthenticator, issue: Issue, clock: Clock, queries: list[str]
) -> None:
    _, text = issue()
    caller = ask(authenticator, text)
    queries.clear()
    clock.now_s += FRESH_S - 0.001
    assert ask_without_loop(authenticator, text) is caller
    assert queries == []


def test_a_caller_is_kept_for_five_seconds_from_the_question(
    authenticator: TokenAuthenticator, issue: Issue, clock: Clock, queries: list[str]
) -> None:
    _, text = issue()
    first = ask(authenticator, text)
    queries.clear()
    clock.now_s += FRESH_S
    second = ask(authenticator, text)
    assert second is not None
    assert second is not first
    assert queries != []


def test_a_hit_compares_in_constant_time(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()
    ask(authenticator, text)
    compared: list[tuple[bytes, bytes]] = []

    def spy(known: bytes, given: bytes) -> bool:
        compared.append((known, given))
        return False

    monkeypatch.setattr(tokens, "compare_digest", spy)
    monkeypatch.setattr(lookup, "compare_digest", spy)
    assert ask(authenticator, text) is None
    digest = credential.digest(credential.peppers()[0], text)
    nothing = bytes(32)
    # In memory and in the database, the present secret and the missing old one.
    assert compared == [(digest, digest), (nothing, digest)] * 2


def test_a_wrong_secret_is_refused_and_harms_nobody(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue()
    assert ask(authenticator, other_secret(text)) is None
    assert ask(authenticator, text) is not None
    assert ask(authenticator, other_secret(text)) is None
    assert ask_without_loop(authenticator, text) is not None
    assert Token.objects.get(pk=token.pk).revoked_at is None


@pytest.mark.parametrize("text", ["", "abc", "mcp_x_y", "mcp_" + "é" * 56, "a" * 9000])
def test_what_is_no_token_is_refused_without_asking(
    authenticator: TokenAuthenticator, queries: list[str], text: str
) -> None:
    assert ask_without_loop(authenticator, text) is None
    assert queries == []


def test_a_revoked_token_is_refused_at_once(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue()
    assert ask(authenticator, text) is not None
    token.revoke()
    assert ask(authenticator, text) is None


def test_a_revocation_acts_when_it_is_committed(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue()
    ask(authenticator, text)
    with transaction.atomic():
        token.revoke()
        assert ask_without_loop(authenticator, text) is not None
    assert ask(authenticator, text) is None


def test_a_revocation_elsewhere_acts_within_five_seconds(
    authenticator: TokenAuthenticator, issue: Issue, clock: Clock
) -> None:
    token, text = issue()
    ask(authenticator, text)
    Token.objects.filter(pk=token.pk).update(revoked_at=timezone.now())
    clock.now_s += FRESH_S
    assert ask(authenticator, text) is None


def test_a_deleted_token_is_refused_at_once(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue()
    ask(authenticator, text)
    token.delete()
    assert ask(authenticator, text) is None


def test_the_token_of_an_inactive_user_is_refused_at_once(
    authenticator: TokenAuthenticator, issue: Issue, owner: User
) -> None:
    other = User.objects.create_user("eve")
    _, text = issue()
    _, others = issue(owner=other)
    ask(authenticator, text)
    ask(authenticator, others)
    owner.is_active = False
    owner.save()
    assert ask(authenticator, text) is None
    assert ask_without_loop(authenticator, others) is not None


def test_a_deleted_user_is_refused_at_once(
    authenticator: TokenAuthenticator, issue: Issue, owner: User
) -> None:
    _, text = issue()
    ask(authenticator, text)
    owner.delete()
    assert ask(authenticator, text) is None


def test_an_expired_token_is_refused(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    _, text = issue(expires_at=timezone.now() - timedelta(seconds=1))
    assert ask(authenticator, text) is None


def test_a_fresh_token_is_refused_from_its_expiry(
    authenticator: TokenAuthenticator,
    issue: Issue,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    _, text = issue(expires_at=now + timedelta(seconds=2))
    assert ask(authenticator, text) is not None
    clock.now_s += 1.9
    assert ask_without_loop(authenticator, text) is not None
    clock.now_s += 0.1
    now += timedelta(seconds=2)
    assert ask(authenticator, text) is None


def test_new_scopes_count_at_once(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue(scopes=["tools:call"])
    ask(authenticator, text)
    token.scopes = ["prompts:get"]
    token.save()
    caller = ask(authenticator, text)
    assert caller is not None
    assert caller.scopes == {"prompts:get"}


def test_a_refusal_is_remembered_and_forgotten(
    authenticator: TokenAuthenticator, issue: Issue, clock: Clock, queries: list[str]
) -> None:
    token, text = issue(expires_at=timezone.now() - timedelta(days=1))
    assert ask(authenticator, text) is None
    queries.clear()
    assert ask_without_loop(authenticator, text) is None
    assert queries == []
    Token.objects.filter(pk=token.pk).update(
        expires_at=timezone.now() + timedelta(days=1)
    )
    clock.now_s += FRESH_S
    assert ask(authenticator, text) is not None


def test_a_refusal_ends_when_the_token_is_extended(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue(expires_at=timezone.now() - timedelta(days=1))
    assert ask(authenticator, text) is None
    token.expires_at = timezone.now() + timedelta(days=1)
    token.save()
    assert ask(authenticator, text) is not None


def test_made_up_tokens_fill_no_memory_and_push_nobody_out(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()
    ask(authenticator, text)
    monkeypatch.setattr(tokens, "look_up", lambda *_: None)

    async def flood() -> None:
        for _ in range(tokens.MAX_REFUSED + 50):
            made_up = credential.new_token_text(credential.new_public_id())
            assert await authenticator.authenticate(made_up) is None

    asyncio.run(flood())
    assert len(authenticator._refused) == tokens.MAX_REFUSED
    assert len(authenticator._accepted) == 1
    assert authenticator._lookups == {}
    assert ask_without_loop(authenticator, text) is not None


def test_accepted_callers_are_bounded_too(
    authenticator: TokenAuthenticator,
    issue: Issue,
    queries: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "MAX_ACCEPTED", 2)
    texts = [issue()[1] for _ in range(3)]
    for text in texts:
        ask(authenticator, text)
    assert len(authenticator._accepted) == 2
    for text in texts[1:]:
        assert ask_without_loop(authenticator, text) is not None
    queries.clear()
    assert ask(authenticator, texts[0]) is not None
    assert queries != []


def test_the_caller_who_was_asked_for_longest_ago_makes_room(
    authenticator: TokenAuthenticator,
    issue: Issue,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "MAX_ACCEPTED", 2)
    first, second, third = (issue()[1] for _ in range(3))
    ask(authenticator, first)
    clock.now_s += FRESH_S / 2
    ask(authenticator, second)
    clock.now_s += FRESH_S / 2
    ask(authenticator, first)
    ask(authenticator, third)
    assert list(authenticator._accepted) == [
        credential.public_id_of(first),
        credential.public_id_of(third),
    ]


def test_those_who_ask_the_same_share_one_lookup_across_loops(
    authenticator: TokenAuthenticator, issue: Issue, gate: Gate
) -> None:
    _, text = issue()

    async def twice() -> list[Caller | None]:
        return list(
            await asyncio.gather(
                authenticator.authenticate(text), authenticator.authenticate(text)
            )
        )

    first = in_thread(lambda: asyncio.run(twice()))
    assert gate.entered.acquire(timeout=WAIT_S)
    second = in_thread(lambda: asyncio.run(twice()))
    gate.opened.set()
    callers = {*first(), *second()}
    assert len(callers) == 1
    assert None not in callers
    assert gate.asked == [text]


async def test_a_cancelled_request_takes_nobody_with_it(
    authenticator: TokenAuthenticator, gate: Gate
) -> None:
    text = credential.new_token_text("0" * 12)
    waiting = [asyncio.ensure_future(authenticator.authenticate(text)) for _ in "ab"]
    await asyncio.to_thread(gate.entered.acquire, timeout=WAIT_S)
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    gate.opened.set()
    async with asyncio.timeout(WAIT_S):
        assert await waiting[1] is None
    assert gate.asked == [text]


async def test_no_more_lookups_wait_than_the_bound(
    authenticator: TokenAuthenticator, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_LOOKUPS", 2)
    texts = [credential.new_token_text(f"{n:012}") for n in range(6)]
    waiting = [asyncio.ensure_future(authenticator.authenticate(t)) for t in texts]
    for _ in range(2):
        await asyncio.to_thread(gate.entered.acquire, timeout=WAIT_S)
    assert len(authenticator._lookups) == 2
    assert gate.asked == texts[:2]
    waiting[-1].cancel()
    gate.opened.set()
    async with asyncio.timeout(WAIT_S):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert answers[:-1] == [None] * 5
    assert isinstance(answers[-1], asyncio.CancelledError)
    assert sorted(gate.asked) == texts[:5]


async def test_a_lookup_that_fails_fails_only_those_who_asked_for_it(
    authenticator: TokenAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, opened = threading.Event(), threading.Event()

    def fail_first(public_id: str, *_: object) -> None:
        if public_id == "0" * 12:
            entered.set()
            assert opened.wait(WAIT_S)
            raise DatabaseError("gone")

    monkeypatch.setattr(tokens, "look_up", fail_first)
    monkeypatch.setattr(tokens, "MAX_LOOKUPS", 1)
    texts = [credential.new_token_text(f"{n:012}") for n in range(3)]
    waiting = [asyncio.ensure_future(authenticator.authenticate(t)) for t in texts]
    assert await asyncio.to_thread(entered.wait, WAIT_S)
    opened.set()
    async with asyncio.timeout(WAIT_S):
        failed, *others = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(failed, DatabaseError)
    assert others == [None, None]


def test_what_was_read_before_a_revocation_is_not_kept_after_it(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, text = issue()
    read, revoked = threading.Event(), threading.Event()

    def slow(*args: Any) -> lookup.Grant | None:
        grant = lookup.look_up(*args)
        read.set()
        assert revoked.wait(WAIT_S)
        return grant

    monkeypatch.setattr(tokens, "look_up", slow)
    before = in_thread(lambda: ask(authenticator, text))
    assert read.wait(WAIT_S)
    token.revoke()
    monkeypatch.undo()
    assert ask(authenticator, text) is None
    revoked.set()
    assert before() is not None
    assert ask(authenticator, text) is None


def test_a_failing_database_refuses_nobody_for_longer_than_it_fails(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()

    def fail(*_: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(tokens, "look_up", fail)
    with pytest.raises(DatabaseError, match="gone"):
        ask(authenticator, text)
    monkeypatch.undo()
    assert ask(authenticator, text) is not None


def test_an_authenticator_that_is_dropped_is_no_longer_told_of_changes() -> None:
    gone = weakref.ref(TokenAuthenticator())
    gc.collect()
    assert gone() is None


def test_a_thread_that_cannot_start_makes_nobody_wait(
    authenticator: TokenAuthenticator, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()

    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(authenticator._threads, "submit", fail)
    with pytest.raises(RuntimeError, match="new thread"):
        ask(authenticator, text)
    monkeypatch.undo()
    assert ask(authenticator, text) is not None
