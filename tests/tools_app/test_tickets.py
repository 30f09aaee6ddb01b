from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import override_settings
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from mcp_transport.engine.caller import Caller, Credential
from mcp_transport.protocol.signing import Signer
from tests.tools_app.conftest import Issue
from tools_app import tickets
from tools_app.models import Token
from tools_app.tickets import LIFETIME_S, OfToken, OfUser, SingleUse
from tools_app.tokens import FRESH_S

# Lookups run in threads, whose connections see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

MCP: dict[str, Any] = {
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "TICKETS": "tools_app.tickets.SingleUse",
}


class UnixTime:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1e9

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    cache.clear()
    with override_settings(MCP=MCP):
        yield


@pytest.fixture
def unix_time() -> UnixTime:
    return UnixTime()


@pytest.fixture
def office(unix_time: UnixTime) -> SingleUse:
    return SingleUse(clock=unix_time)


def redeem(office: SingleUse, ticket: str) -> Credential | None:
    return asyncio.run(office.redeem(ticket))


def caller_of(credential: Credential | None) -> Caller | None:
    assert credential is not None
    return asyncio.run(credential.caller())


def of(text: str) -> OfToken:
    found = tickets.for_token(text)
    assert found is not None
    return found


def test_a_ticket_of_a_token_stands_for_its_caller(
    office: SingleUse, issue: Issue
) -> None:
    token, text = issue()
    ticket = office.issue(of(text))
    assert text.rpartition("_")[2] not in ticket
    caller = caller_of(redeem(office, ticket))
    assert caller is not None
    assert caller.subject == f"token:{token.public_id}"
    assert caller.scopes == {"tools:call"}


def test_a_ticket_of_a_user_stands_for_all_that_the_user_may_do(
    office: SingleUse, owner: User
) -> None:
    owner.user_permissions.add(Permission.objects.get(codename="add_user"))
    caller = caller_of(redeem(office, office.issue(tickets.for_user(owner))))
    assert caller is not None
    assert caller.subject == f"user:{owner.pk}"
    assert caller.scopes == {"*"}
    assert caller.permissions == {"auth.add_user"}
    assert caller.user == owner


def test_it_works_once(office: SingleUse, owner: User) -> None:
    ticket = office.issue(tickets.for_user(owner))
    assert redeem(office, ticket) is not None
    assert redeem(office, ticket) is None
    assert redeem(SingleUse(clock=office._clock), ticket) is None


def test_of_many_who_come_at_once_one_gets_in(office: SingleUse, owner: User) -> None:
    ticket = office.issue(tickets.for_user(owner))

    async def crowd() -> list[Credential | None]:
        return await asyncio.gather(*(office.redeem(ticket) for _ in range(20)))

    assert sum(one is not None for one in asyncio.run(crowd())) == 1


def test_it_works_for_a_minute(
    office: SingleUse, unix_time: UnixTime, owner: User
) -> None:
    early, late = (office.issue(tickets.for_user(owner)) for _ in range(2))
    unix_time.now_s += LIFETIME_S - 1
    assert redeem(office, early) is not None
    unix_time.now_s += 1
    assert redeem(office, late) is None


def test_what_is_not_signed_here_for_this_is_refused(
    office: SingleUse, owner: User
) -> None:
    ticket = office.issue(tickets.for_user(owner))
    payload = office._signer.verify("ticket", ticket)
    assert payload is not None
    forged = [
        "",
        "v1..",
        ticket[:-1],
        ticket + "A",
        ticket.upper(),
        "é" + ticket,
        Signer([b"another key altogether"]).sign("ticket", payload),
        office._signer.sign("cursor", payload),
    ]
    assert [redeem(office, one) for one in forged] == [None] * len(forged)
    assert redeem(office, ticket) is not None


def test_the_secret_key_may_be_rotated_meanwhile(
    office: SingleUse, issue: Issue
) -> None:
    _, text = issue()
    with override_settings(SECRET_KEY="k" * 50):
        ticket = SingleUse().issue(of(text))
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=["k" * 50]):
        assert redeem(SingleUse(), ticket) is not None
    with override_settings(SECRET_KEY="n" * 50):
        assert redeem(SingleUse(), ticket) is None


@pytest.mark.parametrize("fate", ["revoked", "expired", "deleted", "inactive"])
def test_it_goes_with_its_token(office: SingleUse, issue: Issue, fate: str) -> None:
    token, text = issue()
    credential = redeem(office, office.issue(of(text)))
    assert caller_of(credential) is not None
    if fate == "revoked":
        token.revoke()
    elif fate == "expired":
        token.expires_at = timezone.now() - timedelta(seconds=1)
        token.save()
    elif fate == "deleted":
        token.delete()
    else:
        token.owner.is_active = False
        token.owner.save()
    assert caller_of(credential) is None


def test_it_goes_with_the_secret_that_it_was_made_for(
    office: SingleUse, issue: Issue
) -> None:
    token, text = issue()
    old = redeem(office, office.issue(of(text)))
    new = redeem(office, office.issue(of(token.rotate(timedelta(hours=1)))))
    assert caller_of(old) is not None
    assert caller_of(new) is not None
    token.end_old_secret()
    assert caller_of(old) is None
    assert caller_of(new) is not None


def test_what_it_stands_for_is_asked_of_memory(
    office: SingleUse, issue: Issue, owner: User, queries: list[str]
) -> None:
    _, text = issue()
    user = tickets.for_user(owner)
    for credential in (of(text), user):
        caller_of(credential)
        queries.clear()
        first = caller_of(credential)
        assert caller_of(credential) is first
        assert queries == []


@pytest.mark.parametrize("fate", ["deleted", "inactive", "another password"])
def test_it_goes_with_its_user(office: SingleUse, owner: User, fate: str) -> None:
    credential = redeem(office, office.issue(tickets.for_user(owner)))
    assert isinstance(credential, OfUser)
    assert caller_of(credential) is not None
    if fate == "deleted":
        owner.delete()
    elif fate == "inactive":
        User.objects.update(is_active=False)
    else:
        owner.set_password("changed")
        owner.save()
    assert caller_of(credential) is not None
    credential._fresh_until_s -= FRESH_S
    assert caller_of(credential) is None


def test_without_the_cache_nobody_gets_in(office: SingleUse, owner: User) -> None:
    ticket = office.issue(tickets.for_user(owner))
    nowhere = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "unix:///nowhere/redis.sock",
    }
    with (
        override_settings(CACHES={"default": nowhere}),
        pytest.raises(RedisConnectionError, match="nowhere"),
    ):
        redeem(office, ticket)
    assert redeem(office, ticket) is not None


def test_a_text_that_is_no_token_of_ours_gets_none() -> None:
    assert tickets.for_token("eyJhbGciOi.J.x") is None
    with override_settings(MCP={"AUTHENTICATORS": []}):
        assert tickets.for_token("mcp_" + "a" * 12 + "_" + "b" * 43) is None
        assert caller_of(OfToken("a" * 12, "00" * 32)) is None
    assert not Token.objects.exists()
