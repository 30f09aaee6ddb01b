"""From a token's text to its caller, through the database. Runs in a thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hmac import HMAC, compare_digest
from typing import Any, NamedTuple

from django.db import DatabaseError, router
from django.db.models import Max
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from mcp_transport.callers import acting_as
from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.rates import Rate
from tools_app import credential
from tools_app.bounds import parse_network
from tools_app.models import State, Token
from tools_app.scopes import EVERYTHING

LAST_USED_EVERY = timedelta(seconds=60)

# Stands in for the digest of a token that does not exist; no text has it.
_NO_DIGEST = "0" * 64

logger = logging.getLogger(__name__)


class Secret(NamedTuple):
    """The fields of one of the two secrets that a token may have."""

    digest: str
    last_used_at: str


CURRENT = Secret("digest", "last_used_at")
PREVIOUS = Secret("previous_digest", "previous_last_used_at")


@dataclass(frozen=True, slots=True)
class Grant:
    """An accepted token: whose it is, and for how many seconds from now."""

    caller: Caller
    expires_in_s: float


@sensitive_variables("text")
def look_up(public_id: str, text: str, peppers: Sequence[HMAC]) -> Grant | None:
    """Return what the token with this text grants, None where it is refused.

    Until a digest has matched, an unknown public id and a wrong secret take
    the same steps. Leaves no connection open beyond its maximum age.

    Raises:
        DatabaseError: the token could not be read.
    """
    return look_up_digests(public_id, [credential.digest(p, text) for p in peppers])


def look_up_digests(public_id: str, made: Sequence[bytes]) -> Grant | None:
    """Do as ``look_up`` does with a text that has the digests ``made``, the first of
    them under the current pepper.
    """
    with closing_old_connections():
        # A replica that lags would let a revoked token live.
        tokens = Token.objects.using(router.db_for_write(Token))
        rows = tokens.filter(public_id=public_id)
        # An aggregate, which is a row whether the public id is known or not.
        stored = rows.aggregate(Max(CURRENT.digest), Max(PREVIOUS.digest)).values()
        if True not in [_matches(digest, made) for digest in stored]:
            return None
        token = rows.select_related("owner").first()
        if token is None:
            return None  # deleted since
        # Looked for anew: a rotation since then has moved the digest.
        secret = _secret(token, made)
        until = token.expires_at if secret is CURRENT else token.old_secret_until
        if secret is None or until is None or not _acts(token):
            return None
        _record_use(token, secret, made[0].hex())
        return Grant(caller_of_token(token), (until - timezone.now()).total_seconds())


def _matches(stored: str | None, made: Sequence[bytes]) -> bool:
    """Tell whether a digest is among those made, in a time that tells nothing."""
    kept = bytes.fromhex(stored or _NO_DIGEST)
    return True in [compare_digest(kept, candidate) for candidate in made]


def _secret(token: Token, made: Sequence[bytes]) -> Secret | None:
    """Return which of the token's secrets made the digests."""
    for secret in (CURRENT, PREVIOUS):
        if _matches(getattr(token, secret.digest), made):
            return secret
    return None


def _acts(token: Token) -> bool:
    return token.state is State.ACTIVE and bool(token.owner.is_active)


def caller_of_token(token: Token) -> Caller:
    """Return whom an accepted token stands for. Asks the database."""
    # The subject is the token, not its owner: two tokens of one user share no
    # session, so that what one client left behind is not within another's reach.
    caller = acting_as(
        token.owner,
        subject=f"token:{token.public_id}",
        scopes=frozenset(token.scopes),
        token_id=token.public_id,
    )
    return replace(
        caller,
        tools=frozenset(token.allowed_tools) if token.allowed_tools else None,
        rate=Rate.parse(token.rate) if token.rate else None,
        max_calls=token.max_calls,
        networks=tuple(map(parse_network, token.networks)),
    )


def caller_of_user(user: Any) -> Caller:
    """Return the caller that does all that a user may. Asks the database."""
    scopes = frozenset({EVERYTHING})
    return acting_as(user, subject=f"user:{user.pk}", scopes=scopes)


def _record_use(token: Token, secret: Secret, current_digest: str) -> None:
    """Note the time, at most once a minute, and move to the current pepper."""
    now = timezone.now()
    digest, last_used_at = (getattr(token, field) for field in secret)
    changes: dict[str, object] = {}
    if last_used_at is None or last_used_at <= now - LAST_USED_EVERY:
        changes[secret.last_used_at] = now
    if digest != current_digest:
        changes[secret.digest] = current_digest
    if not changes:
        return
    # Only over what was read: of several processes one writes.
    unchanged = Token.objects.filter(
        pk=token.pk, **{secret.digest: digest, secret.last_used_at: last_used_at}
    )
    try:
        unchanged.update(**changes)
    except DatabaseError:
        # A database that only reads at the moment still vouches for the token.
        logger.exception("The use of token %s could not be recorded.", token.public_id)
