"""Who may come in: what every door that begins with an HTTP request asks of it.

Spec: 2026-07-28 basic/transports/streamable-http #security, basic/authorization.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.http.request import split_domain_port, validate_host
from django.views.decorators.debug import sensitive_variables

from mcp_transport.conf import (
    get_attempts,
    get_authenticators,
    get_conf,
    get_origins,
    get_rates,
    get_tickets,
)
from mcp_transport.engine.caller import ANONYMOUS, Caller, Credential
from mcp_transport.engine.rates import Use
from mcp_transport.guards.address import client_address, counted_as, within
from mcp_transport.guards.origin import is_loopback, origin_allowed

logger = logging.getLogger("mcp_transport")
# What a WebSocket offers among its subprotocols where it has a ticket.
TICKET_PREFIX = "ticket-"

LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]


async def why_foreign(headers: Mapping[str, str]) -> str | None:
    """Return why the Host is not ours or the Origin not allowed; None if both are.

    Without this a web page could reach a server on its reader's own machine.
    ``headers`` have lower-case names.
    """
    host = headers.get("host")
    if host is None or not host_allowed(host):
        return "this Host is not served here"
    origin = headers.get("origin")
    if origin is not None and not await page_allowed(origin):
        return "this Origin is not allowed"
    return None


async def page_allowed(origin: str) -> bool:
    """Tell whether pages of an origin may call: the settings allow it, or whom they
    name in ``MCP["ORIGINS"]``.
    """
    if origin_allowed(origin, get_conf().allowed_origins):
        return True
    origins = get_origins()
    return origins is not None and origin_allowed(origin, await origins.current())


@lru_cache(maxsize=256)
def host_allowed(host: str) -> bool:
    """Hold a Host header against ALLOWED_HOSTS, as ``HttpRequest.get_host`` does."""
    allowed = settings.ALLOWED_HOSTS
    if settings.DEBUG and not allowed:
        allowed = LOCAL_HOSTS
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _forget_hosts(*, setting: str, **_: Any) -> None:
    if setting in ("ALLOWED_HOSTS", "DEBUG"):
        host_allowed.cache_clear()


setting_changed.connect(_forget_hosts, dispatch_uid="mcp_transport.admission")


class Bearer:
    """A token, and the address that it was sent from, as a Credential."""

    __slots__ = ("_address", "_token")

    @sensitive_variables()
    def __init__(self, token: str, address: str | None) -> None:
        self._token = token
        self._address = address

    @sensitive_variables()
    async def caller(self) -> Caller | None:
        return await authenticate(self._token, self._address)


class Ticket:
    """A ticket, which is spent when it is first asked, as a Credential."""

    __slots__ = ("_address", "_redeemed", "_ticket")

    @sensitive_variables()
    def __init__(self, ticket: str, address: str | None) -> None:
        self._ticket: str | None = ticket
        self._address = address
        self._redeemed: Credential | None = None

    @sensitive_variables()
    async def caller(self) -> Caller | None:
        ticket, self._ticket = self._ticket, None
        tickets = get_tickets()
        if ticket is not None and tickets is not None:
            self._redeemed = await tickets.redeem(ticket)
        caller = None if self._redeemed is None else await self._redeemed.caller()
        return None if caller is None else _at_home(caller, self._address)


class Nobody:
    """The lack of a token, where that is enough, as a Credential."""

    __slots__ = ()

    async def caller(self) -> Caller | None:
        return ANONYMOUS


NOBODY = Nobody()


@sensitive_variables()
async def authenticate(token: str, address: str | None = None) -> Caller | None:
    """Return the caller whom the first authenticator that knows it names, unless
    the token is used from where it may not be.
    """
    for authenticator in get_authenticators():
        caller = await authenticator.authenticate(token)
        if caller is not None:
            return _at_home(caller, address)
    return None


def _at_home(caller: Caller, address: str | None) -> Caller | None:
    """Return a caller whose credential may be used from where it is."""
    if within(address, caller.networks):
        return caller
    logger.warning(
        "token %s was used from %s, which is in none of its networks",
        caller.token_id,
        address,
    )
    return None


async def admit(credential: Credential, address: str | None) -> Caller | None:
    """Return whom a credential lets in; None, and the failure is counted, for nobody.

    Raises TooManyRequests for an address that fails or asks too often, and
    StoreUnavailable where that cannot be counted.
    """
    counted, attempts = counted_as(address), get_attempts()
    attempts.check(counted)
    rate = get_conf().rate_per_address
    if rate is not None:
        await get_rates().spend(Use("address", counted, rate))
    caller = await credential.caller()
    if caller is None:
        await attempts.failed(counted)
    return caller


def may_be_anonymous(peer: str | None, address: str | None, host: str | None) -> bool:
    """Tell whether somebody without a token is let in: where it is configured, and
    from this very machine, through however many proxies. See ``is_loopback``.
    """
    return (
        get_conf().allow_anonymous
        and is_loopback(peer, host)
        and is_loopback(address, host)
    )


def address_behind(peer: str | None, headers: Mapping[str, str]) -> str | None:
    """Return where a request comes from, by the proxies that the settings trust."""
    trusted = get_conf().trusted_proxies
    return client_address(peer, headers.get("x-forwarded-for"), trusted)
