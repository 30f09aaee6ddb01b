"""From a token's text to its caller, through the database. Runs in a thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hmac import HMAC, compare_digest

from django.db import DatabaseError, router
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from mcp_transport.callers import acting_as
from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.caller import Caller
from tools_app import credential
from tools_app.models import State, Token

LAST_USED_EVERY = timedelta(seconds=60)

# Stands in for the digest of a token that does not exist; no text has it.
_NO_DIGEST = "0" * 64

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """An accepted token: whose it is, and for how many seconds from now."""

    caller: Caller
    expires_in_s: float


@sensitive_variables("text")
def look_up(public_id: str, text: str, peppers: Sequence[HMAC]) -> Grant | None:
    """Return what the token with this text grants, None where it is refused.

    Until the digest has matched, an unknown public id and a wrong secret take
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
        digests = tokens.filter(public_id=public_id).values_list("digest", flat=True)
        stored = bytes.fromhex(next(iter(digests), _NO_DIGEST))
        if True not in [compare_digest(stored, candidate) for candidate in made]:
            return None
        matched = tokens.filter(public_id=public_id, digest=stored.hex())
        token = matched.select_related("owner").first()
        if token is None:
            return None  # deleted since
        if token.state is not State.ACTIVE or not token.owner.is_active:
            return None
        _record_use(token, made[0].hex())
        expires_in = token.expires_at - timezone.now()
        return Grant(_caller(token), expires_in.total_seconds())


def _caller(token: Token) -> Caller:
    # The subject is the token, not its owner: two tokens of one user share no
    # session, so that what one client left behind is not within another's reach.
    return acting_as(
        token.owner,
        subject=f"token:{token.public_id}",
        scopes=frozenset(token.scopes),
        token_id=token.public_id,
    )


def _record_use(token: Token, current_digest: str) -> None:
    """Note the time, at most once a minute, and move to the current pepper."""
    now = timezone.now()
    changes: dict[str, object] = {}
    if token.last_used_at is None or token.last_used_at <= now - LAST_USED_EVERY:
        changes["last_used_at"] = now
    if token.digest != current_digest:
        changes["digest"] = current_digest
    if not changes:
        return
    # Only over what was read: of several processes one writes.
    unchanged = Token.objects.filter(
        pk=token.pk, digest=token.digest, last_used_at=token.last_used_at
    )
    try:
        unchanged.update(**changes)
    except DatabaseError:
        # A database that only reads at the moment still vouches for the token.
        logger.exception("The use of token %s could not be recorded.", token.public_id)
