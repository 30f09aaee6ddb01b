"""System checks: what can be seen to be wrong before the first request."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.core.checks import register as register_check
from django.core.exceptions import ImproperlyConfigured

from mcp_transport.conf import get_authenticators, get_tickets, imported, read
from mcp_transport.endpoint import get_views
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.guards.origin import normalised_origin
from mcp_transport.stores import server_problems


def register() -> None:
    register_check(check_settings, Tags.security)
    register_check(check_catalogue)
    register_check(check_store, Tags.security, deploy=True)


def check_settings(**_: Any) -> list[CheckMessage]:
    conf, problems = read(getattr(settings, "MCP", {}))
    messages: list[CheckMessage] = [
        Error(problem, id="mcp_transport.E001") for problem in problems
    ]
    if not conf.authenticators and not conf.allow_anonymous:
        messages.append(
            Warning(
                "Nobody can use the MCP endpoint: no authenticator is configured.",
                hint='Set MCP["AUTHENTICATORS"], for instance to '
                '["tools_app.tokens.TokenAuthenticator"].',
                id="mcp_transport.W001",
            )
        )
    messages += [
        Error(
            f'MCP["ALLOWED_ORIGINS"] holds {origin!r}, which is no origin.',
            hint="Write scheme, host and port, such as https://app.example.com; "
            "there are no wildcards.",
            id="mcp_transport.E003",
        )
        for origin in conf.allowed_origins
        if normalised_origin(origin) is None
    ]
    if not problems:
        messages += _check_view()
    return messages


def _check_view() -> list[CheckMessage]:
    """Make all that a request would need: authenticators, hooks, middleware."""
    try:
        get_authenticators()
        get_tickets()
        get_views()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="mcp_transport.E004")]
    return []


def check_store(**_: Any) -> list[CheckMessage]:
    """Ask the store's server whether it keeps what it is given."""
    conf, problems = read(getattr(settings, "MCP", {}))
    if problems:
        return []
    try:
        found = server_problems(conf.store)
    except StoreUnavailable:
        return [
            Warning(
                'The server that MCP["STORE"] names could not be asked.',
                hint="Start it, or run this check where it can be reached.",
                id="mcp_transport.W002",
            )
        ]
    return [Error(problem, id="mcp_transport.E006") for problem in found]


def check_catalogue(**_: Any) -> list[CheckMessage]:
    conf, _problems = read(getattr(settings, "MCP", {}))
    try:
        catalogue = imported(conf.catalogue)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="mcp_transport.E005")]
    if not isinstance(catalogue, Shelf):
        return []
    return [
        Error(
            collision,
            hint="Give one of them another name=.",
            id="mcp_transport.E002",
        )
        for collision in catalogue.collisions
    ]
