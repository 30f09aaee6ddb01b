"""Access tokens that an authorization server signs: JWT.

    class Login(JWTAuthenticator):
        issuer = "https://login.example.com/"
        audience = "https://shop.example.com/mcp"
        jwks_url = "https://login.example.com/.well-known/jwks.json"

Spec: 2026-07-28 basic/authorization #token-handling; RFC 9068 section 4; RFC 8725.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import jwt
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

from mcp_transport.callers import acting_as
from mcp_transport.guards.origin import is_loopback
from tools_app.authenticators.keyset import KeySet
from tools_app.authenticators.remembering import RememberingAuthenticator
from tools_app.lookup import Grant
from tools_app.scopes import is_scope

SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})
ASYMMETRIC = frozenset(
    {
        *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        *("ES256", "ES384", "ES512", "EdDSA"),
    }
)
REQUIRED = ["aud", "exp", "iss", "sub"]
MIN_SECRET_BYTES = 32


class JWTAuthenticator(RememberingAuthenticator):
    """Accepts what ``issuer`` has signed for ``audience``, as one user of the site.

    The key is at ``jwks_url``, or is ``key``: a public key in PEM, or a secret that
    is shared with the issuer where ``algorithms`` are HS256 and its kin. An algorithm
    that is not listed is refused, whatever a token says of itself.

    ``scope_claim`` holds the scopes, as a string with spaces or as a list;
    ``user_claim`` is what ``user_field`` of the user says. ``leeway_s`` is how far
    the clocks may be apart, ``timeout_s`` how long the keys may take to come.

    Raises ImproperlyConfigured, naming what is missing or does not go together.
    """

    issuer: ClassVar[str] = ""
    audience: ClassVar[str] = ""
    jwks_url: ClassVar[str] = ""
    key: ClassVar[str] = ""
    algorithms: ClassVar[Sequence[str]] = ("RS256", "ES256")
    leeway_s: ClassVar[float] = 30
    timeout_s: ClassVar[float] = 5
    scope_claim: ClassVar[str] = "scope"
    user_claim: ClassVar[str] = "sub"
    user_field: ClassVar[str] = ""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        problem = self._problem()
        if problem is not None:
            raise ImproperlyConfigured(f"{type(self).__qualname__}{problem}")
        self._algorithms = self._usable()
        self._keys = KeySet(self.jwks_url, self.timeout_s, clock)

    def scopes(self, claims: Mapping[str, Any]) -> Collection[str]:
        """Return what a token grants. What is no scope grants nothing."""
        given = claims.get(self.scope_claim, "")
        found = given.split() if isinstance(given, str) else given
        return [s for s in found if is_scope(s)] if isinstance(found, list) else []

    def user(self, claims: Mapping[str, Any]) -> Any:
        """Return whom a token acts as, None to refuse it. An inactive user is."""
        field = self.user_field or get_user_model().USERNAME_FIELD
        name = claims.get(self.user_claim)
        users = get_user_model()._default_manager
        return users.filter(**{field: name}).first() if isinstance(name, str) else None

    @sensitive_variables()
    def look_up(self, token: str) -> Grant | None:
        claims = self._claims(token)
        user = None if claims is None else self.user(claims)
        if claims is None or user is None or not user.is_active:
            return None
        caller = acting_as(
            user,
            subject=f"jwt:{self.issuer}:{claims['sub']}",
            scopes=frozenset(self.scopes(claims)),
            token_id=claims.get("jti"),
        )
        return Grant(caller, int(claims["exp"]) + self.leeway_s - time.time())

    @sensitive_variables()
    def _claims(self, token: str) -> dict[str, Any] | None:
        """Return what a token says, None unless all of it may be believed.

        Raises:
            OSError: the issuer's keys have been out of reach for too long.
        """
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(header)
            if key is None:
                return None
            return jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.leeway_s,
                options={"require": REQUIRED},
            )
        except jwt.InvalidTokenError:
            return None

    def _key(self, header: Mapping[str, Any]) -> jwt.PyJWK | str | None:
        """Return what must have signed a token. A header that is of no use makes
        nobody fetch anything.
        """
        if header.get("alg") not in self._algorithms:
            return None
        if self.key:
            return self.key
        key_id = header.get("kid")
        return self._keys.get(key_id) if isinstance(key_id, str) else None

    def _usable(self) -> list[str]:
        """Return the algorithms that go with ``key``, all where there is none."""
        return [one for one in self.algorithms if not self.key or _fits(self.key, one)]

    def _problem(self) -> str | None:
        for name in ("issuer", "audience"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                return f".{name} must be set: a token for others is none for us"
        if bool(self.jwks_url) == bool(self.key):
            return " needs either a jwks_url or a key"
        if self.jwks_url and not _safe(self.jwks_url):
            return ".jwks_url must begin with https://"
        algorithms, secret = set(self.algorithms), _is_secret(self.key)
        allowed = SYMMETRIC if secret else ASYMMETRIC
        if not algorithms or not algorithms <= allowed:
            return f".algorithms must be some of {', '.join(sorted(allowed))}"
        if secret and len(self.key.encode()) < MIN_SECRET_BYTES:
            return f".key is a secret, which must have {MIN_SECRET_BYTES} bytes or more"
        if self.key and not self._usable():
            return ".key is no key for its algorithms"
        return None


def _is_secret(key: str) -> bool:
    return bool(key) and "-----BEGIN" not in key


def _fits(key: str, algorithm: str) -> bool:
    try:
        jwt.get_algorithm_by_name(algorithm).prepare_key(key)
    except (jwt.InvalidKeyError, ValueError):
        return False
    return True


def _safe(url: str) -> bool:
    """Tell whether nobody between us and the issuer could put in keys of theirs."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback("127.0.0.1", parts.netloc)
    )
