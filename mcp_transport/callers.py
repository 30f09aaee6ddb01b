"""From a Django user to a caller."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

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


def caller_named(name: str) -> Caller:
    """Return the caller that may do all that the user whom a command names may.

    Raises CommandError as ``active_user`` does.
    """
    user = active_user(name)
    return acting_as(user, subject=f"user:{user.pk}", scopes=frozenset({"*"}))


def active_user(name: str) -> Any:
    """Return the user whom a command names.

    Raises CommandError for one who does not exist or may not log in.
    """
    users = get_user_model()._default_manager
    user = users.filter(**{get_user_model().USERNAME_FIELD: name}).first()
    if user is None:
        raise CommandError(
            f'There is no user "{name}". Make one in the admin or with: '
            "manage.py createsuperuser"
        )
    if not user.is_active:
        raise CommandError(
            f'The user "{name}" is not active, so that nobody can act as them. '
            "Activate the user in the admin, or choose another."
        )
    return user
