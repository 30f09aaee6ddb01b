"""Whom an administrator may run as, and whom not."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import router
from django.utils.translation import gettext as _

from mcp_transport.engine.caller import Caller
from tools_app.lookup import caller_of_token, caller_of_user
from tools_app.models import State, Token

_NAME = re.compile(r"(token|user):([!-~]{1,255})")  # what a header can carry
# So many permissions are named to an administrator who lacks them.
MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class Target:
    """A token or a user, by a name that is no secret: ``token:<public id>`` or
    ``user:<primary key>``. ``user`` is whose permissions count.
    """

    name: str
    row: Any
    user: Any

    def __str__(self) -> str:
        return str(self.row)

    @classmethod
    def of_token(cls, token: Token) -> Target:
        return cls(f"token:{token.public_id}", token, token.owner)

    @classmethod
    def of_user(cls, user: Any) -> Target:
        return cls(f"user:{user.pk}", user, user)

    @property
    def label(self) -> str:
        """What a list of choices shows."""
        if self.token is None:
            return _("User %(user)s") % {"user": self.user}
        shown = {"token": self.token, "user": self.user}
        return _("Token %(token)s of %(user)s") % shown

    @property
    def token(self) -> Token | None:
        return self.row if isinstance(self.row, Token) else None

    def why_nobody(self) -> str | None:
        """Say why nobody is let in by it; None where somebody is."""
        state = State.ACTIVE if self.token is None else self.token.state
        if state is State.REVOKED:
            return _("This token is revoked: its bearer is refused.")
        if state is State.EXPIRED:
            return _("This token has expired: its bearer is refused.")
        if not self.user.is_active:
            return _("%(user)s is not active, and is refused.") % {"user": self.user}
        return None

    def caller(self) -> Caller:
        """Return the caller that a client would be. Asks the database."""
        if self.token is not None:
            return caller_of_token(self.token)
        return caller_of_user(self.user)


def find(name: str) -> Target | None:
    """Return the token or user of this name, None where there is none.

    Raises:
        ValueError: the name is neither ``token:...`` nor ``user:...``.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError("name a token as token:PUBLIC_ID or a user as user:ID")
    kind, key = match.groups()
    if kind == "token":
        # A replica that lags would let a revoked token live.
        tokens = Token.objects.using(router.db_for_write(Token))
        token = tokens.select_related("owner").filter(public_id=key).first()
        return None if token is None else Target.of_token(token)
    return _user(key)


def _user(key: str) -> Target | None:
    users = get_user_model()
    try:
        pk = users._meta.pk.to_python(key)
    except ValidationError:
        return None
    found = users._default_manager.using(router.db_for_write(users)).filter(pk=pk)
    user = found.first()
    return None if user is None else Target.of_user(user)


def why_not(administrator: Any, target: Target) -> str | None:
    """Say why an administrator may not run as ``target``; None where it is allowed.

    Nobody gains rights by it: as a superuser runs a superuser alone, and as
    anybody else who has all the permissions that the user of the target has.
    """
    nobody = target.why_nobody()
    if nobody is not None or administrator.is_superuser:
        return nobody
    if getattr(target.user, "is_superuser", False):
        return _("%(user)s is a superuser: only a superuser may run as one.") % {
            "user": target.user
        }
    lacking = _lacking(administrator, target.user)
    if not lacking:
        return None
    named = ", ".join(lacking[:MAX_NAMED])
    return _(
        "%(user)s has permissions that you lack, such as %(permissions)s: only a "
        "superuser may run as somebody with more rights."
    ) % {"user": target.user, "permissions": named}


def _lacking(administrator: Any, user: Any) -> list[str]:
    # A user model without Django's permissions grants none.
    if not hasattr(user, "get_all_permissions"):
        return []
    return sorted(
        p for p in user.get_all_permissions() if not administrator.has_perm(p)
    )


def run_as(administrator: Any, target: Target) -> Caller:
    """Return the caller that ``target`` would be, run by an administrator.

    It sees and may do the same, within the same rates. Its subject is its own: so
    are what is counted, its sessions and its cursors, and nothing that the real
    caller has open is within reach. Asks the database.
    """
    caller = target.caller()
    subject = f"inspector:{administrator.pk}:as:{caller.subject}"
    return replace(caller, subject=subject, actor=administrator.get_username())
