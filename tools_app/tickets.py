"""Tickets: what opens one WebSocket, once, within a minute.

Named in the settings: ``MCP["TICKETS"] = "tools_app.tickets.SingleUse"``. A ticket
stands for a token or for a user of the site, and is signed, so that any process
can redeem what another issued. That it was used is kept in Django's cache, which
all processes must share; without the cache no ticket is redeemed.

What came in by a ticket is held to what the ticket stands for: it goes with the
token, and with the user.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from functools import cache, partial
from hmac import compare_digest
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.cache import cache as used
from django.db import router
from django.views.decorators.debug import sensitive_variables
from pydantic_core import from_json

from mcp_transport.conf import get_authenticators, get_signer
from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.caller import Caller, Credential
from mcp_transport.engine.threads import Threads
from mcp_transport.protocol.messages import dumps
from tools_app.lookup import caller_of_user
from tools_app.tokens import FRESH_S, TokenAuthenticator

LIFETIME_S: Final = 60
# How far apart the clocks of two machines may be before a ticket works twice.
MAX_SKEW_S: Final = 300
THREADS: Final = 4

_PURPOSE: Final = "ticket"


class OfToken:
    """A credential that holds for as long as the secret of a token does."""

    kind = "token"

    def __init__(self, public_id: str, digest: str) -> None:
        self.names = (public_id, digest)

    async def caller(self) -> Caller | None:
        public_id, digest = self.names
        authenticator = token_authenticator()
        if authenticator is None:
            return None
        return await authenticator.authenticate_digest(public_id, bytes.fromhex(digest))


class OfUser:
    """A credential that holds while the user is active and has the same password.

    The user is looked up anew after five seconds.
    """

    kind = "user"

    def __init__(self, pk: str, mark: str) -> None:
        self.names = (pk, mark)
        self._caller: Caller | None = None
        self._fresh_until_s = float("-inf")

    async def caller(self) -> Caller | None:
        now_s = time.monotonic()
        if now_s >= self._fresh_until_s:
            self._caller = await _threads()(partial(_caller_of_user, *self.names))
            self._fresh_until_s = now_s + FRESH_S
        return self._caller


_KINDS: Final[dict[str, Callable[..., OfToken | OfUser]]] = {
    one.kind: one for one in (OfToken, OfUser)
}


class SingleUse:
    """Issues and redeems tickets; one for any number of loops.

    ``clock`` gives Unix time, in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._signer = get_signer()

    def issue(self, credential: OfToken | OfUser) -> str:
        """Return a ticket for whoever holds ``credential``."""
        payload = {
            "nonce": secrets.token_urlsafe(16),
            "until": int(self._clock()) + LIFETIME_S,
            "kind": credential.kind,
            "names": credential.names,
        }
        return self._signer.sign(_PURPOSE, dumps(payload))

    @sensitive_variables()
    async def redeem(self, ticket: str) -> Credential | None:
        """Return the credential of a ticket that is ours, in time and unused.

        What the cache raises when it is out of reach is raised here as well.
        """
        payload = self._signer.verify(_PURPOSE, ticket)
        if payload is None:
            return None
        issued = from_json(payload)
        if self._clock() >= issued["until"]:
            return None
        if not await _threads()(partial(_spend, issued["nonce"])):
            return None
        return _KINDS[issued["kind"]](*issued["names"])


@sensitive_variables()
def for_token(text: str) -> OfToken | None:
    """Return what a ticket for a token stands for; None where it is none of ours."""
    authenticator = token_authenticator()
    found = None if authenticator is None else authenticator.digest_of(text)
    return None if found is None else OfToken(found[0], found[1].hex())


def for_user(user: Any) -> OfUser:
    return OfUser(str(user.pk), _mark(user))


def token_authenticator() -> TokenAuthenticator | None:
    """Return the authenticator of our tokens, where the settings name it."""
    ours = (a for a in get_authenticators() if isinstance(a, TokenAuthenticator))
    return next(ours, None)


def _spend(nonce: str) -> bool:
    """Tell whether this is the first use. Runs in a thread."""
    return bool(used.add(f"mcp-ticket:{nonce}", 1, timeout=LIFETIME_S + MAX_SKEW_S))


def _caller_of_user(pk: str, mark: str) -> Caller | None:
    """Return the caller that does what the user may. Runs in a thread."""
    users = get_user_model()
    # A replica that lags would let a user in who was turned out.
    found = users._default_manager.using(router.db_for_write(users)).filter(pk=pk)
    user = found.first()
    if user is None or not user.is_active or not compare_digest(mark, _mark(user)):
        return None
    return caller_of_user(user)


def _mark(user: Any) -> str:
    """Return what changes with the password, as sessions end with it too."""
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()[:32]


@cache
def _threads() -> Threads:
    return Threads(THREADS, closing_old_connections)
