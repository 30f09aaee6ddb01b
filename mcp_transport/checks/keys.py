"""Each key of ``settings.MCP``, and what the keys name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from mcp_transport.conf import (
    RATES,
    Conf,
    get_attempts,
    get_authenticators,
    get_origins,
    get_tickets,
    read,
    read_settings,
)
from mcp_transport.endpoint import get_views
from mcp_transport.guards.origin import normalised_origin
from mcp_transport.monitoring import wire

METRICS = "mcp_transport.monitoring.Metrics"


def check_settings(**_: Any) -> list[CheckMessage]:
    conf, problems = read_settings()
    messages = [
        *_wrong_keys(getattr(settings, "MCP", {})),
        *_debug(problems),
        *_nobody(conf),
        *_no_origins(conf),
        *_nothing_counted(conf),
    ]
    return messages if problems else [*messages, *_check_view()]


def _wrong_keys(given: Any) -> Iterator[CheckMessage]:
    parts = [{k: v} for k, v in given.items()] if isinstance(given, Mapping) else []
    for part in parts or [given]:
        for problem in read(part)[1]:
            yield Error(problem, hint=_way_out(part), id="mcp_transport.E001")


def _debug(problems: Collection[str]) -> Iterator[CheckMessage]:
    if wire.PROBLEM in problems:
        yield Error(
            f"{wire.PROBLEM}.",
            hint="Take it out. What became of each call is logged by the observer "
            '"mcp_transport.monitoring.CallLog".',
            id="mcp_transport.E017",
        )


def _way_out(part: Any) -> str:
    """Return what to write instead of a key and its value."""
    if not isinstance(part, Mapping):
        return 'Write MCP = {"AUTHENTICATORS": [...]}.'
    (key,) = part
    conf = Conf()
    name = key.lower() if isinstance(key, str) and key.isupper() else ""
    owner = next((one for one in (conf, conf.limits) if hasattr(one, name)), None)
    if owner is None or name == "limits":
        return "Take it out, or correct its name."
    default = getattr(owner, name)
    said = str(default or "") if name in RATES else default
    return f'Take MCP["{key}"] out to have its default, {said!r}, or correct it.'


def _nobody(conf: Conf) -> Iterator[CheckMessage]:
    if not conf.authenticators and not conf.allow_anonymous:
        yield Warning(
            "Nobody can use the MCP endpoint: no authenticator is configured, and "
            "every request is refused.",
            hint='Set MCP = {"AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"]}'
            ', add "tools_app" to INSTALLED_APPS, and migrate: tokens are then issued '
            "in the admin, or by manage.py mcp tokens create.",
            id="mcp_transport.W001",
        )


def _no_origins(conf: Conf) -> Iterator[CheckMessage]:
    for origin in conf.allowed_origins:
        if normalised_origin(origin) is None:
            yield Error(
                f'MCP["ALLOWED_ORIGINS"] holds {origin!r}, which is no origin.',
                hint="Write scheme, host and port, such as https://app.example.com; "
                "there are no wildcards.",
                id="mcp_transport.E003",
            )


def _nothing_counted(conf: Conf) -> Iterator[CheckMessage]:
    if conf.metrics_token is not None and METRICS not in conf.observers:
        yield Warning(
            'MCP["METRICS_TOKEN"] lets somebody read metrics that nobody counts.',
            hint=f'Add "{METRICS}" to MCP["OBSERVERS"], or take the token out.',
            id="mcp_transport.W009",
        )


def _check_view() -> Iterator[CheckMessage]:
    """Make all that a request would need: authenticators, hooks, middleware."""
    try:
        get_authenticators()
        get_attempts()
        get_origins()
        get_tickets()
        get_views()
    except ImproperlyConfigured as error:
        yield Error(
            str(error),
            hint="Correct it, add its app to INSTALLED_APPS, or install what it needs.",
            id="mcp_transport.E004",
        )
