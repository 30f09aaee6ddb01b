"""What browsers are told, where django-cors-headers is in use for the endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from mcp_transport.conf import read_settings
from mcp_transport.dotted import imported
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.tool import Tool
from mcp_transport.guards.cors import ALLOW_HEADERS, ALLOW_METHODS, EXPOSE_HEADERS

OURS = "mcp_transport.cors.CorsMiddleware"
INSTEAD = (
    f'Put "{OURS}" into MCP["MIDDLEWARE"], and keep the site\'s own off the endpoint: '
    r'CORS_URLS_REGEX = r"^/(?!(mcp|sse|message)/?$)".'
)


def check_cors(**_: Any) -> list[CheckMessage]:
    if find_spec("corsheaders") is None:
        return []
    if _uses(settings.MIDDLEWARE, ours=True):
        return [
            Error(
                f'MIDDLEWARE holds "{OURS}", which takes each request for one of the '
                "endpoint's.",
                hint='Move it to MCP["MIDDLEWARE"].',
                id="mcp_transport.E016",
            )
        ]
    inside = read_settings()[0].middleware
    around = _uses(settings.MIDDLEWARE, ours=False) and _rules_the_endpoint()
    messages: list[CheckMessage] = []
    if around or _uses(inside, ours=False):
        messages += [*_patterns(), *_missing()]
    if around and (_uses(inside, ours=True) or _uses(inside, ours=False)):
        messages.append(
            Warning(
                "CORS is done twice for the endpoint, in MIDDLEWARE and in "
                'MCP["MIDDLEWARE"]: preflights are answered by the former.',
                hint=INSTEAD,
                id="mcp_transport.W005",
            )
        )
    return messages


def _uses(paths: Sequence[str], *, ours: bool) -> bool:
    """Tell whether one of the middleware is django-cors-headers', plain or as ours."""
    from corsheaders.middleware import CorsMiddleware as Plain

    from mcp_transport.cors import CorsMiddleware as Ours

    for path in paths:
        try:
            named = import_string(path)
        except ImportError:
            continue  # E004 tells of it, or Django itself
        if isinstance(named, type) and issubclass(named, Plain):
            return issubclass(named, Ours) is ours
    return False


def _rules_the_endpoint() -> bool:
    """Tell whether CORS_URLS_REGEX takes the endpoint in, where it is in the urls."""
    from corsheaders.conf import conf

    try:
        path = reverse("mcp_transport:endpoint")
    except NoReverseMatch:
        return False
    return re.match(conf.CORS_URLS_REGEX, path) is not None


def _patterns() -> Iterator[CheckMessage]:
    from corsheaders.conf import conf

    if conf.CORS_ALLOW_ALL_ORIGINS:
        yield Error(
            "CORS_ALLOW_ALL_ORIGINS tells every web page that it may call the "
            "endpoint, and read its refusals.",
            hint=INSTEAD,
            id="mcp_transport.E013",
        )
    if conf.CORS_ALLOWED_ORIGIN_REGEXES:
        yield Warning(
            "CORS_ALLOWED_ORIGIN_REGEXES tells web pages by patterns that they may "
            "call the endpoint, which knows no patterns.",
            hint=INSTEAD,
            id="mcp_transport.W006",
        )


def _missing() -> Iterator[CheckMessage]:
    from corsheaders.conf import conf

    wanted = (
        ("CORS_ALLOW_METHODS", conf.CORS_ALLOW_METHODS, ALLOW_METHODS),
        ("CORS_ALLOW_HEADERS", conf.CORS_ALLOW_HEADERS, _headers()),
        ("CORS_EXPOSE_HEADERS", conf.CORS_EXPOSE_HEADERS, EXPOSE_HEADERS),
    )
    for setting, there, needed in wanted:
        known = {name.lower() for name in there}
        lacking = [name for name in needed if name.lower() not in known]
        if lacking:
            yield Warning(
                f"{setting} lacks {', '.join(lacking)}: browsers could not use the "
                "endpoint.",
                hint=INSTEAD,
                id="mcp_transport.W004",
            )


def _headers() -> list[str]:
    """Return the headers that a page may have to send, those of tools with them."""
    try:
        catalogue = imported(read_settings()[0].catalogue)
    except ImproperlyConfigured:
        return list(ALLOW_HEADERS)  # E004 tells of it
    if not isinstance(catalogue, Shelf):
        return list(ALLOW_HEADERS)
    of_tools = {
        param.header
        for entry in catalogue.entries()
        if isinstance(entry, Tool)
        for param in entry.headers
    }
    return [*ALLOW_HEADERS, *sorted(of_tools)]
