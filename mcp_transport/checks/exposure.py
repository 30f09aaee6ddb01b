"""Who can reach the server, and what protects them on the way."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from mcp_transport.checks.production import in_production
from mcp_transport.conf import read_settings
from mcp_transport.guards.origin import is_loopback

# Each of these says that the site is reached over HTTPS alone.
HTTPS = (
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_PROXY_SSL_HEADER",
    "SESSION_COOKIE_SECURE",
)


def check_hosts(**_: Any) -> list[CheckMessage]:
    """Refuse to serve every Host, and to serve none; where nothing is served over
    the network, no matter.
    """
    if not in_production() or not read_settings()[0].transports:
        return []
    if not settings.ALLOWED_HOSTS:
        said = (
            "ALLOWED_HOSTS is empty, and every request is refused. (What is served "
            'over pipes alone says so: MCP["TRANSPORTS"] = [].)'
        )
    elif "*" in settings.ALLOWED_HOSTS:
        said = (
            'ALLOWED_HOSTS holds "*": a web page could reach the server under a name '
            "of its own (DNS rebinding)."
        )
    else:
        return []
    return [
        Error(
            said,
            hint="Name the hosts that clients reach the server by: "
            'ALLOWED_HOSTS = ["mcp.example.com"].',
            id="mcp_transport.E008",
        )
    ]


def check_anonymous(**_: Any) -> list[CheckMessage]:
    """Let nobody in without a token where others than this machine may come."""
    conf, _problems = read_settings()
    if not conf.allow_anonymous:
        return []
    if conf.trusted_proxies:
        said = (
            'MCP["ALLOW_ANONYMOUS"] is on behind a proxy: who comes through one on '
            "this machine could pass for this machine, and everybody would be let in."
        )
    elif in_production() and (hosts := _public_hosts()):
        said = (
            'MCP["ALLOW_ANONYMOUS"] lets in without a token, on a server that others '
            f"may reach as {', '.join(hosts)}."
        )
    else:
        return []
    return [
        Error(
            said,
            hint='Take MCP["ALLOW_ANONYMOUS"] out and issue tokens; or, on your own '
            'computer, set ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"] and '
            "let no proxy lead there.",
            id="mcp_transport.E014",
        )
    ]


def check_debug(**_: Any) -> list[CheckMessage]:
    hosts = _public_hosts()
    if not settings.DEBUG or not hosts:
        return []
    return [
        Warning(
            f"DEBUG is on, on a server that others may reach as {', '.join(hosts)}: "
            "pages of errors show settings and variables.",
            hint="Set DEBUG = False, or take the names out of ALLOWED_HOSTS.",
            id="mcp_transport.W003",
        )
    ]


def check_https(**_: Any) -> list[CheckMessage]:
    """Ask, before it is deployed, whether tokens can be read on their way."""
    if any(getattr(settings, name) for name in HTTPS):
        return []
    return [
        Warning(
            "Nothing says that the server is reached over HTTPS alone, and a token is "
            "as good as a password to whoever reads it on the way.",
            hint="Serve over HTTPS, and set SESSION_COOKIE_SECURE = True; or "
            "SECURE_SSL_REDIRECT, or SECURE_HSTS_SECONDS.",
            id="mcp_transport.W007",
        )
    ]


def check_proxies(**_: Any) -> list[CheckMessage]:
    """Ask, before it is deployed, whether clients can be told from their proxy."""
    if read_settings()[0].trusted_proxies or not settings.SECURE_PROXY_SSL_HEADER:
        return []
    return [
        Warning(
            "SECURE_PROXY_SSL_HEADER trusts a proxy, of which "
            'MCP["TRUSTED_PROXIES"] knows nothing: all clients would have the '
            "address of the proxy, and share its rates and its failures.",
            hint='Set MCP["TRUSTED_PROXIES"] to the number of proxies; or silence '
            "this where the server takes addresses from them, as daphne "
            "--proxy-headers.",
            id="mcp_transport.W008",
        )
    ]


def _public_hosts() -> list[str]:
    """Return the entries of ALLOWED_HOSTS by which not only this machine comes."""
    return [
        host
        for host in settings.ALLOWED_HOSTS
        if host != ".localhost" and not is_loopback("127.0.0.1", host)
    ]
