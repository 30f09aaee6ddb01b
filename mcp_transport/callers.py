"""From a Django user to a caller."""

from __future__ import annotations

from typing import Any

from mcp_transport.engine.caller import Caller


def acting_as(
    user: Any, *, subject: str, scopes: frozenset[str], token_id: str | None = None
) -> Caller:
    """Return the caller that may do what ``user`` may, as far as ``scopes`` go.

    Asks the database for the user's permissions: not for the event loop.
    """
    # A user model without Django's permissions grants none.
    bounded = hasattr(user, "get_all_permissions")
    return Caller(
        subject=subject,
        scopes=scopes,
        permissions=frozenset(user.get_all_permissions() if bounded else ()),
        user=user,
        token_id=token_id,
        is_superuser=bounded and user.is_superuser,
    )
