"""``settings.MCP``, read once and checked, and the server that it describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from mcp_transport.connections import closing_old_connections
from mcp_transport.dotted import imported
from mcp_transport.engine.caller import Authenticator, Tickets
from mcp_transport.engine.changes import Change, ListChanged, ResourceUpdated
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.quotas import Quotas
from mcp_transport.engine.rates import Rate, Rates
from mcp_transport.engine.server import Hook, Server
from mcp_transport.engine.store import Store
from mcp_transport.engine.threads import Threads
from mcp_transport.failures import MISSING, explain
from mcp_transport.guards.attempts import Attempts
from mcp_transport.guards.origin import Origins
from mcp_transport.guards.rate import CacheRates
from mcp_transport.monitoring import wire
from mcp_transport.protocol.resource_metadata import is_public_url, metadata_url
from mcp_transport.protocol.signing import Signer
from mcp_transport.stores import MEMORY, open_store, store_problem

# The doors, by the names of their bindings. What is not listed is not served.
TRANSPORTS = ("streamable-http", "sse", "plain", "websocket")

# No limit needs to be larger than this, whatever its unit.
HUGE = 10**10
RATE_THREADS = 4


@dataclass(frozen=True, kw_only=True)
class Conf:
    """The settings, by the lower-case names of their keys.

    Every field of Limits is a key as well, in upper case. A rate is written as
    in ``Rate.parse``, and None where it is written as "".
    """

    name: str = "django"
    version: str = "1"
    title: str | None = None
    description: str | None = None
    website_url: str | None = None
    icons: list[Mapping[str, Any]] = field(default_factory=list)
    instructions: str | None = None
    catalogue: str = "mcp_transport.catalogue"
    authenticators: list[str] = field(default_factory=list)
    tickets: str = ""
    authorization_servers: list[str] = field(default_factory=list)
    resource_url: str = ""
    allow_anonymous: bool = False
    allowed_origins: list[str] = field(default_factory=list)
    origins: str | None = None
    middleware: list[str] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    observers: list[str] = field(default_factory=list)
    metrics_token: str | None = None
    debug_wire: bool = False
    store: str = MEMORY
    transports: list[str] = field(default_factory=lambda: list(TRANSPORTS))
    threads: int = 8
    list_ttl_ms: int = 0
    token_pepper: str | None = None
    token_pepper_fallbacks: list[str] = field(default_factory=list)
    rate_per_token: Rate | None = None
    rate_per_session: Rate | None = None
    rate_per_address: Rate | None = None
    failures_per_address: Rate | None = Rate(60, 60)
    trusted_proxies: int = 0
    limits: Limits = field(default_factory=Limits)

    @property
    def metadata_url(self) -> str | None:
        """Where clients find who issues tokens for this server; None where nobody
        is told.
        """
        if not self.authorization_servers:
            return None
        return metadata_url(self.resource_url)

    @property
    def info(self) -> dict[str, Any]:
        """The server's Implementation, as the protocol knows it."""
        info = {
            "name": self.name,
            "version": self.version,
            "title": self.title,
            "description": self.description,
            "websiteUrl": self.website_url,
            "icons": [dict(icon) for icon in self.icons],
        }
        return {key: value for key, value in info.items() if value}


RATES = (
    "rate_per_token",
    "rate_per_session",
    "rate_per_address",
    "failures_per_address",
)
_PUBLIC = "with https:// and without query, such as https://example.com/mcp"
_METRICS_TOKEN = "a string of 32 or more of the characters A-Z a-z 0-9 - . _ ~ + /"
# The type that each key takes, and how a person would say it.
_TYPES: Mapping[str, tuple[Any, str]] = {
    "name": (str, "a string"),
    "version": (str, "a string"),
    "title": ((str, type(None)), "a string"),
    "description": ((str, type(None)), "a string"),
    "website_url": ((str, type(None)), "a string"),
    "icons": (list, "a list of dictionaries"),
    "instructions": ((str, type(None)), "a string"),
    "catalogue": (str, "a dotted path"),
    "authenticators": (list, "a list of dotted paths"),
    "tickets": (str, "a dotted path"),
    "authorization_servers": (list, f"a list of URLs {_PUBLIC}"),
    "resource_url": (str, f"the URL of the endpoint, {_PUBLIC}"),
    "allow_anonymous": (bool, "True or False"),
    "allowed_origins": (list, "a list of origins, such as https://example.com"),
    "origins": ((str, type(None)), "a dotted path"),
    "middleware": (list, "a list of dotted paths"),
    "hooks": (list, "a list of dotted paths"),
    "observers": (list, "a list of dotted paths"),
    "metrics_token": ((str, type(None)), _METRICS_TOKEN),
    "debug_wire": (bool, "True or False"),
    "store": (str, '"memory", or the URL of a Redis server'),
    "transports": (list, f"a list of {', '.join(TRANSPORTS)}"),
    "threads": (int, "a number of threads"),
    "list_ttl_ms": (int, "a number of milliseconds"),
    "token_pepper": ((str, type(None)), "a string"),
    "token_pepper_fallbacks": (list, "a list of strings"),
    **dict.fromkeys(RATES, (str, 'a rate such as "600/m", or "" for none')),
    "trusted_proxies": (int, "a number of proxies"),
}
_URLS = ("authorization_servers", "resource_url")
_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]{32,}")
_NEEDED = ("name", "version", "catalogue")
_RANGES = {
    "threads": (1, 1000),
    "list_ttl_ms": (0, 86_400_000),
    "trusted_proxies": (0, 10),
}
_LIMITS = {limit.name: limit for limit in fields(Limits)}


def read(given: Any) -> tuple[Conf, list[str]]:
    """Return the settings in ``given`` and what is wrong with the rest.

    What is wrong keeps its default, so that everything wrong is found at once.
    """
    if not isinstance(given, Mapping):
        return Conf(), ["MCP must be a dictionary"]
    taken: dict[str, Any] = {}
    limits: dict[str, float] = {}
    problems: list[str] = []
    for key, value in given.items():
        name = key.lower() if isinstance(key, str) and key.isupper() else ""
        if name in _LIMITS:
            problem = _limit_problem(key, name, value)
            limits.update({} if problem else {name: value})
        else:
            problem = _problem(key, name, value)
            taken.update({} if problem else {name: _taken(name, value)})
        problems += [problem] if problem else []
    if taken.get("authorization_servers") and not given.get("RESOURCE_URL"):
        problems.append('MCP["AUTHORIZATION_SERVERS"] needs MCP["RESOURCE_URL"]')
    return Conf(**taken, limits=Limits(**limits)), problems  # type: ignore[arg-type]


def _problem(key: str, name: str, value: Any) -> str | None:
    if name not in _TYPES:
        known = [one.upper() for one in sorted([*_TYPES, *_LIMITS])]
        near = get_close_matches(str(key).upper(), known, n=1)
        said = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
        return f'MCP["{key}"] is unknown; {said}'
    expected, said = _TYPES[name]
    if not isinstance(value, expected):
        return f'MCP["{key}"] must be {said}'
    if name == "store" and (problem := store_problem(value)) is not None:
        return f'MCP["STORE"] {problem}'
    if name in _URLS and not _public(value):
        return f'MCP["{key}"] must be {said}'
    if name == "metrics_token" and value is not None and not _BEARER.fullmatch(value):
        return f'MCP["{key}"] must be {said}'
    if name in RATES and value:
        return _rate_problem(key, value)
    if name == "transports" and not all(one in TRANSPORTS for one in value):
        return f'MCP["TRANSPORTS"] must be {said}'
    if name in _NEEDED and not value:
        return f'MCP["{key}"] must not be empty'
    if name in _RANGES:
        least, most = _RANGES[name]
        if isinstance(value, bool) or not least <= value <= most:
            return f'MCP["{key}"] must be from {least} to {most}'
    item_type = Mapping if name == "icons" else str
    if isinstance(value, list) and not all(isinstance(i, item_type) for i in value):
        return f'MCP["{key}"] must be {said}'
    return None


def _public(value: str | list[Any]) -> bool:
    """Tell whether the URLs are such as may be told to everybody. "" is none."""
    urls = [value] if value and isinstance(value, str) else list(value)
    return all(isinstance(url, str) and is_public_url(url) for url in urls)


def _rate_problem(key: str, value: str) -> str | None:
    try:
        Rate.parse(value)
    except ValueError as error:
        return f'MCP["{key}"] must be a rate: {error}'
    return None


def _taken(name: str, value: Any) -> Any:
    if name in RATES:
        return Rate.parse(value) if value else None
    return value


def _limit_problem(key: str, name: str, value: Any) -> str | None:
    whole = _LIMITS[name].type == "int"
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        return f'MCP["{key}"] must be a {"whole " if whole else ""}number'
    if not 0 < value <= HUGE:
        return f'MCP["{key}"] must be over 0 and at most {HUGE}'
    return None


def read_settings() -> tuple[Conf, list[str]]:
    """Return the project's settings as far as they are right, and what is not.

    Debug mode may be switched on by the environment too.
    """
    conf, problems = read(getattr(settings, "MCP", {}))
    if wire.asked_for():
        conf = replace(conf, debug_wire=True)
    if conf.debug_wire and not settings.DEBUG:
        problems = [*problems, wire.PROBLEM]
    return conf, problems


@cache
def get_conf() -> Conf:
    """Raises ImproperlyConfigured, naming everything that is wrong."""
    conf, problems = read_settings()
    if problems:
        raise ImproperlyConfigured("; ".join(problems))
    return conf


@cache
def get_authenticators() -> tuple[Authenticator, ...]:
    return tuple(imported(path, "authenticate") for path in get_conf().authenticators)


@cache
def get_origins() -> Origins | None:
    """Return who knows of more origins than the settings; None where nobody does."""
    path = get_conf().origins
    return None if path is None else imported(path, "current")


@cache
def get_tickets() -> Tickets | None:
    """Return who redeems tickets; None where they are refused."""
    path = get_conf().tickets
    return imported(path, "redeem") if path else None


@cache
def get_signer() -> Signer:
    """Return what signs under SECRET_KEY, and verifies under its fallbacks too."""
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return Signer([f"mcp_transport:{key}".encode() for key in keys])


@cache
def get_store() -> Store:
    """Return the store of this process, made of the settings when first asked."""
    return open_store(get_conf().store, get_conf().limits)


@cache
def get_rates() -> Rates:
    """Return who counts; on threads of its own, which no tool can hold."""
    return CacheRates(Threads(RATE_THREADS, closing_old_connections))


@cache
def get_attempts() -> Attempts:
    return Attempts(get_rates(), get_conf().failures_per_address)


@cache
def get_server() -> Server:
    """Return the server of this process, made of the settings when first asked."""
    conf, signals = get_conf(), get_store().signals
    hooks: list[Hook] = [imported(path, "__call__") for path in conf.hooks]
    server = Server(
        imported(conf.catalogue, "page", "find", "watch", "renew"),
        info=conf.info,
        signer=get_signer(),
        run_sync=Threads(conf.threads, closing_old_connections),
        instructions=conf.instructions,
        hooks=hooks,
        observers=[imported(path, "request_served") for path in conf.observers],
        wire=wire.WireLog() if conf.debug_wire else None,
        limits=conf.limits,
        list_ttl_ms=conf.list_ttl_ms,
        explain=explain,
        missing=MISSING,
        signals=signals,
        quotas=Quotas(
            get_rates(),
            per_caller=conf.rate_per_token,
            per_session=conf.rate_per_session,
        ),
    )
    signals.listen(server.hear)
    return server


def announce(change: Change) -> None:
    """Tell every client that wants to know of a change. Any thread may call it.

    ``announce(ResourceUpdated("order://1"))`` after an order was saved, or
    ``announce(ListChanged("tools"))`` where a catalogue does not tell by itself.
    """
    get_server().announce(change)


_CACHED = (
    get_conf,
    get_authenticators,
    get_origins,
    get_tickets,
    get_signer,
    get_store,
    get_rates,
    get_attempts,
    get_server,
)

_READ = ("MCP", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "CACHES")


def _forget(*, setting: str, **_: Any) -> None:
    if setting in _READ or setting.startswith("RATELIMIT_"):
        for cached in _CACHED:
            cached.cache_clear()


setting_changed.connect(_forget, dispatch_uid="mcp_transport.conf")

__all__ = [
    "Conf",
    "ListChanged",
    "ResourceUpdated",
    "announce",
    "get_attempts",
    "get_authenticators",
    "get_conf",
    "get_origins",
    "get_rates",
    "get_server",
    "get_signer",
    "get_store",
    "get_tickets",
    "read",
    "read_settings",
]
