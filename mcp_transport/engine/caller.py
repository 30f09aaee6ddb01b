"""Who is calling: what an authenticator returns and what the catalogue asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Protocol

from mcp_transport.engine.rates import Rate

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """One authenticated principal.

    ``subject`` names the principal for good: sessions, cursors and sealed
    state are bound to it. ``scopes`` are what the credential grants, and
    ``permissions`` what Django grants to ``user`` ("app.codename"), read when
    the caller was authenticated so that no request has to ask the database.

    What else the credential says of itself: ``tools`` names those it is limited
    to, None for all that its scopes grant; ``rate`` bounds how often it may be
    used and ``max_calls`` how many of its calls may run at a time in a process,
    None for what the server says; ``networks`` are where it may be used, empty
    for anywhere. ``actor`` names who really acts, where an administrator runs
    something as this caller.
    """

    subject: str
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    user: Any = None
    token_id: str | None = None
    is_superuser: bool = False
    tools: frozenset[str] | None = None
    rate: Rate | None = None
    max_calls: int | None = None
    networks: tuple[Network, ...] = ()
    actor: str | None = None
    _granted: dict[str, bool] = field(default_factory=dict, init=False, repr=False)

    def has_scope(self, scope: str) -> bool:
        """Tell whether ``scope`` is granted, by itself or by a broader one.

        A scope is a path of names joined by colons: ``tools:call`` grants
        ``tools:call:count_orders``, and ``*`` grants everything.
        Spec: 2026-07-28 basic/authorization #scope-hierarchies.
        """
        known = self._granted.get(scope)
        if known is None:
            parts = scope.split(":")
            broader = {":".join(parts[: n + 1]) for n in range(len(parts))}
            known = "*" in self.scopes or not broader.isdisjoint(self.scopes)
            self._granted[scope] = known
        return known

    def has_permission(self, permission: str) -> bool:
        return self.is_superuser or permission in self.permissions

    def same_rights(self, other: Caller | None) -> bool:
        """Tell whether ``other`` is the same principal and may do the same."""
        return other is self or (
            other is not None and self._rights() == other._rights()
        )

    def _rights(self) -> object:
        return (
            self.subject,
            self.scopes,
            self.permissions,
            self.is_superuser,
            self.tools,
            self.networks,
        )


ANONYMOUS = Caller(subject="anonymous", scopes=frozenset({"*"}))


class Authenticator(Protocol):
    """Turns a bearer token into a caller; named by dotted path in the settings."""

    async def authenticate(self, token: str) -> Caller | None:
        """Return the caller, or None when the token grants nothing."""
        ...


class Credential(Protocol):
    """What somebody was let in with, for as long as the connection lasts."""

    async def caller(self) -> Caller | None:
        """Return the caller, or None once the credential grants nothing any more.

        It is asked again with each message.
        """
        ...


class Tickets(Protocol):
    """Knows the tickets that were issued; named by dotted path in the settings."""

    async def redeem(self, ticket: str) -> Credential | None:
        """Return what the ticket stands for, once; None for any that is no good."""
        ...
