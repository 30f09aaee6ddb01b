"""Who may come in: what every door that begins with an HTTP request asks of it.

Spec: 2026-07-28 basic/transports/streamable-http #security, basic/authorization.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.http.request import split_domain_port, validate_host
from django.views.decorators.debug import sensitive_variables

from mcp_transport.conf import (
    get_authenticators,
    get_conf,
    get_origins,
    get_tickets,
)
from mcp_transport.engine.caller import Caller, Credential
from mcp_transport.guards.origin import is_loopback, origin_allowed

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


@sensitive_variables()
async def authenticate(token: str) -> Caller | None:
    """Return the caller whom the first authenticator that knows it names."""
    for authenticator in get_authenticators():
        caller = await authenticator.authenticate(token)
        if caller is not None:
            return caller
    return None


@sensitive_variables()
async def redeem(ticket: str) -> Credential | None:
    """Return what ``ticket`` stands for, once; None where it is refused."""
    tickets = get_tickets()
    return None if tickets is None else await tickets.redeem(ticket)


def may_be_anonymous(peer_address: str | None, host: str | None) -> bool:
    """Tell whether somebody without a token is let in: where it is configured,
    and from this very machine. The arguments are those of ``is_loopback``.
    """
    return get_conf().allow_anonymous and is_loopback(peer_address, host)
