from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from mcp_transport.engine.caller import Caller
from tests.tools_app.authenticators.issuer import (
    AUDIENCE,
    EC,
    ISSUER,
    OTHER_RSA,
    RSA,
    Issuer,
    claims,
    jwk,
    pem,
    serving,
    signed,
)
from tests.tools_app.conftest import Clock
from tools_app.authenticators import keyset
from tools_app.authenticators.jwt import JWTAuthenticator

pytestmark = pytest.mark.django_db(transaction=True)

# As it is when tests are collected, which may be an hour before they run.
TOMORROW = int(time.time()) + 86_400
SECRET = "a secret that both sides know, long enough"


@pytest.fixture(scope="module")
def served() -> Iterator[Issuer]:
    with serving() as issuer:
        yield issuer


@pytest.fixture
def issuer(served: Issuer) -> Issuer:
    served.__dict__.update({**Issuer().__dict__, "url": served.url})
    return served


def authenticator(issuer: Issuer, clock: Any = time.monotonic, **other: Any) -> Any:
    attributes = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": issuer.url}
    return type("Login", (JWTAuthenticator,), attributes | other)(clock=clock)


def with_key(key: str, *algorithms: str) -> Any:
    attributes: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "key": key}
    attributes |= {"algorithms": algorithms} if algorithms else {}
    return type("Login", (JWTAuthenticator,), attributes)()


def ask(login: JWTAuthenticator, token: str) -> Caller | None:
    return asyncio.run(login.authenticate(token))


def by_hand(header: dict[str, Any], key: bytes, **members: Any) -> str:
    """Sign as no library would: by HMAC with any key at all, or not at all."""
    parts = [_base64(json.dumps(one).encode()) for one in (header, claims(**members))]
    signature = hmac.digest(key, ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, _base64(signature) if key else ""])


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_acts_as_its_user(issuer: Issuer, owner: User) -> None:
    caller = ask(authenticator(issuer), signed(jti="42"))
    assert caller is not None
    assert caller.user == owner
    assert caller.subject == f"jwt:{ISSUER}:ada"
    assert caller.scopes == {"tools:call", "openid"}
    assert caller.token_id == "42"


@pytest.mark.parametrize(
    ("given", "granted"),
    [
        ({"scope": None}, set()),
        ({"scope": ["tools:call", "a b", 1, "*"]}, None),
        ({"scope": {"a": 1}}, set()),
        ({"scope": 'x" tools:call'}, {"tools:call"}),
        ({"scope": ["tools:call", "a b"]}, {"tools:call"}),
    ],
)
def test_what_is_no_scope_grants_nothing(
    issuer: Issuer, owner: User, given: dict[str, Any], granted: set[str] | None
) -> None:
    caller = ask(authenticator(issuer), signed(**given))
    assert caller is not None
    assert caller.scopes == ({"tools:call", "*"} if granted is None else granted)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://login.example.com"},
        {"iss": None},
        {"aud": "https://other.example.com/mcp"},
        {"aud": ["https://other.example.com/mcp"]},
        {"aud": None},
        {"aud": []},
        {"exp": int(time.time()) - 31},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": TOMORROW},
        {"iat": TOMORROW},
        {"sub": None},
        {"sub": "nobody"},
        {"sub": ["ada"]},
    ],
)
def test_what_a_token_must_say(
    issuer: Issuer, owner: User, wrong: dict[str, Any]
) -> None:
    login = authenticator(issuer)
    assert ask(login, signed(aud=["other", AUDIENCE])) is not None
    if isinstance(wrong.get("sub"), list) or wrong.get("iss", "") is None:
        payload = claims(**wrong)
        token = jwt.api_jws.encode(
            json.dumps(payload).encode(), RSA, "RS256", {"kid": "first"}
        )
    else:
        token = signed(**wrong)
    assert ask(login, token) is None


def test_clocks_may_be_apart_by_the_leeway(issuer: Issuer, owner: User) -> None:
    late = signed(exp=int(time.time()) - 20)
    assert ask(authenticator(issuer), late) is not None
    assert ask(authenticator(issuer, leeway_s=5), late) is None


@pytest.mark.parametrize("fate", ["inactive", "deleted"])
def test_a_user_who_is_turned_out_takes_the_token_along(
    issuer: Issuer, owner: User, fate: str, clock: Clock
) -> None:
    login, token = authenticator(issuer, clock), signed()
    assert ask(login, token) is not None
    if fate == "deleted":
        owner.delete()
    else:
        User.objects.update(is_active=False)
    assert ask(login, token) is not None
    clock.now_s += 5
    assert ask(login, token) is None


def test_what_was_accepted_is_remembered_no_longer_than_it_lasts(
    issuer: Issuer, owner: User, clock: Clock, queries: list[str]
) -> None:
    login = authenticator(issuer, clock, leeway_s=0)
    token = signed(exp=int(time.time()) + 4)
    assert ask(login, token) is not None
    queries.clear()
    assert ask(login, token) is not None
    assert queries == []
    clock.now_s += 4
    assert ask(login, token) is not None
    assert queries != []


# Whose signature counts.


def test_only_the_issuers_keys_count(issuer: Issuer, owner: User) -> None:
    login = authenticator(issuer)
    assert ask(login, signed(OTHER_RSA)) is None
    assert ask(login, signed()[:-8] + "AAAAAAAA") is None
    assert ask(login, signed(kid=None)) is None
    for text in ("", "a.b.c", "mcp_0123456789ab_x", "....", "é"):
        assert ask(login, text) is None


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 1])
def test_an_unsigned_token_is_refused(issuer: Issuer, owner: User, alg: object) -> None:
    token = by_hand({"alg": alg, "typ": "JWT", "kid": "first"}, b"")
    assert ask(authenticator(issuer), token) is None
    assert ask(with_key(pem(RSA)), token) is None
    assert ask(with_key(SECRET, "HS256"), token) is None


def test_a_public_key_is_no_secret(issuer: Issuer, owner: User) -> None:
    header = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    for secret in (pem(RSA), json.dumps(jwk(RSA, "first")), ""):
        token = by_hand(header, secret.encode() or b"\0")
        assert ask(authenticator(issuer), token) is None
        assert ask(with_key(pem(RSA)), token) is None


def test_a_symmetric_key_that_is_published_counts_for_nothing(
    issuer: Issuer, owner: User
) -> None:
    oct_key = {"kty": "oct", "k": _base64(SECRET.encode()), "kid": "first"}
    issuer.keys = [{**oct_key, "alg": "HS256"}, jwk(EC, "ec")]
    header = {"alg": "HS256", "kid": "first"}
    login = authenticator(issuer)
    assert ask(login, by_hand(header, SECRET.encode())) is None
    assert ask(login, signed(EC, algorithm="ES256", kid="ec")) is not None


def test_a_key_is_good_for_its_own_algorithm(issuer: Issuer, owner: User) -> None:
    issuer.keys = [jwk(RSA, "first", alg="RS256"), jwk(EC, "ec")]
    login = authenticator(issuer, algorithms=["RS256", "ES256", "PS256"])
    assert ask(login, signed(RSA, algorithm="PS256")) is None
    assert ask(login, signed(EC, algorithm="ES256")) is None
    assert ask(login, signed(RSA, kid="ec")) is None
    issuer.keys = [jwk(RSA, "first", use="enc")]
    assert ask(authenticator(issuer), signed()) is None


def test_a_key_may_be_given(owner: User) -> None:
    assert ask(with_key(pem(RSA)), signed(kid=None)) is not None
    assert ask(with_key(pem(RSA)), signed(OTHER_RSA)) is None
    login = with_key(SECRET, "HS256")
    assert ask(login, signed(SECRET, algorithm="HS256")) is not None
    assert ask(login, signed(SECRET + "!", algorithm="HS256")) is None
    assert ask(login, signed()) is None


# Where the keys come from.


def test_the_keys_are_fetched_once(issuer: Issuer, owner: User) -> None:
    login = authenticator(issuer)
    for jti in range(20):
        assert ask(login, signed(jti=str(jti))) is not None
    assert issuer.asked == 1


def test_a_new_key_is_fetched_once_a_minute_at_most(
    issuer: Issuer, owner: User, clock: Clock
) -> None:
    login = authenticator(issuer, clock)
    assert ask(login, signed()) is not None
    issuer.keys.append(jwk(OTHER_RSA, "second"))
    for kid in ("second", "third"):
        assert ask(login, signed(OTHER_RSA, kid=kid)) is None
    assert issuer.asked == 1
    clock.now_s += keyset.RETRY_S
    for _ in range(3):
        assert ask(login, signed(OTHER_RSA, kid="third")) is None
    assert ask(login, signed(OTHER_RSA, kid="second")) is not None
    assert issuer.asked == 2


def test_what_cannot_be_ours_makes_nobody_fetch(issuer: Issuer, owner: User) -> None:
    login = authenticator(issuer)
    for text in ("", "a.b.c", by_hand({"alg": "none", "kid": "x"}, b"")):
        assert ask(login, text) is None
    assert issuer.asked == 0


def test_a_key_that_was_withdrawn_is_forgotten_within_the_hour(
    issuer: Issuer, owner: User, clock: Clock
) -> None:
    login = authenticator(issuer, clock)
    assert ask(login, signed()) is not None
    issuer.keys = [jwk(OTHER_RSA, "second")]
    clock.now_s += keyset.FRESH_S
    assert ask(login, signed()) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"keys": 1}', b'{"a": 1}', b"\xff"])
def test_while_the_issuer_is_away_its_keys_are_used_for_a_day(
    issuer: Issuer,
    owner: User,
    clock: Clock,
    body: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    login = authenticator(issuer, clock)
    assert ask(login, signed()) is not None
    issuer.body = body
    clock.now_s += keyset.KEPT_S - 1
    assert ask(login, signed()) is not None
    assert "could not be fetched" in caplog.text
    clock.now_s += keyset.RETRY_S
    with pytest.raises(OSError, match="are not known"):
        ask(login, signed())
    issuer.body = None
    clock.now_s += keyset.RETRY_S
    assert ask(login, signed()) is not None


def test_an_issuer_who_cannot_be_reached_is_no_acceptance(owner: User) -> None:
    nowhere = Issuer()
    nowhere.url = "http://127.0.0.1:1/jwks.json"
    with pytest.raises(OSError, match="are not known"):
        ask(authenticator(nowhere), signed())


def test_the_loop_goes_on_while_keys_are_fetched(issuer: Issuer, owner: User) -> None:
    async def main() -> int:
        turns, asking = 0, asyncio.ensure_future(login.authenticate(signed()))
        while not asking.done():
            turns += 1
            await asyncio.sleep(0)
        assert await asking is not None
        return turns

    login = authenticator(issuer)
    assert asyncio.run(main()) > 1


# What a developer may have got wrong.

GOOD: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": "https://x"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"issuer": ""}, "issuer must be set"),
        ({"audience": ""}, "audience must be set"),
        ({"audience": None}, "audience must be set"),
        ({"jwks_url": ""}, "needs either a jwks_url or a key"),
        ({"key": pem(RSA)}, "needs either a jwks_url or a key"),
        ({"jwks_url": "http://example.com/jwks"}, "jwks_url must begin with https://"),
        ({"jwks_url": "file:///etc/passwd"}, "jwks_url must begin with https://"),
        ({"algorithms": []}, "algorithms must be some of ES256"),
        ({"algorithms": ["none"]}, "algorithms must be some of ES256"),
        ({"algorithms": ["RS256", "HS256"]}, "algorithms must be some of ES256"),
        (
            {"jwks_url": "", "key": pem(RSA), "algorithms": ["HS256"]},
            "algorithms must be some of ES256",
        ),
        (
            {"jwks_url": "", "key": SECRET, "algorithms": ["RS256"]},
            "algorithms must be some of HS256",
        ),
        (
            {"jwks_url": "", "key": "short", "algorithms": ["HS256"]},
            "key is a secret, which must have 32 bytes or more",
        ),
        (
            {"jwks_url": "", "key": pem(RSA), "algorithms": ["ES256"]},
            "key is no key for its algorithms",
        ),
    ],
)
def test_what_does_not_go_together_is_said(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^Wrong.*{said}"):
        type("Wrong", (JWTAuthenticator,), GOOD | wrong)()


class Unfinished(JWTAuthenticator):
    issuer = ISSUER


def test_a_system_check_says_it() -> None:
    with override_settings(MCP={"AUTHENTICATORS": [f"{__name__}.Unfinished"]}):
        [error] = [e for e in run_checks() if e.id == "mcp_transport.E004"]
    assert "Unfinished.audience must be set" in str(error.msg)
