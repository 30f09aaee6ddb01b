"""System checks: what would make a token useless, said before it is issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.checks.security.base import (
    SECRET_KEY_INSECURE_PREFIX,
    SECRET_KEY_MIN_LENGTH,
    SECRET_KEY_MIN_UNIQUE_CHARACTERS,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.utils.module_loading import import_string

from mcp_transport.checks.production import in_production
from mcp_transport.conf import read_settings
from mcp_transport.stores import MEMORY
from tools_app.kinds.confined import SETTING as FILES_ROOT
from tools_app.kinds.confined import files_root
from tools_app.kinds.registry import entry_kinds
from tools_app.ledger.dialects import dialect_of
from tools_app.ledger.options import read_settings as read_ledger_settings

TOKEN_AUTHENTICATOR = "tools_app.tokens.TokenAuthenticator"
TICKETS = "tools_app.tickets.SingleUse"
LEDGER = "tools_app.ledger.Ledger"
MIN_PEPPER_CHARS = 32

_FORGETS = "django.core.cache.backends.dummy.DummyCache"
_OF_ONE_PROCESS = "django.core.cache.backends.locmem.LocMemCache"


def check_authenticators(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Warn where no authenticator accepts the tokens that are issued here."""
    if any(map(_accepts_tokens, read_settings()[0].authenticators)):
        return []
    return [
        Warning(
            "The tokens issued in the admin are accepted nowhere.",
            hint=f'Add "{TOKEN_AUTHENTICATOR}" to MCP["AUTHENTICATORS"].',
            id="tools_app.W001",
        )
    ]


def check_token_pepper(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse peppers that can be guessed."""
    conf, _problems = read_settings()
    given = [("TOKEN_PEPPER_FALLBACKS", p) for p in conf.token_pepper_fallbacks]
    if conf.token_pepper is not None:
        given.append(("TOKEN_PEPPER", conf.token_pepper))
    return [
        Error(
            f'A pepper in MCP["{key}"] is shorter than {MIN_PEPPER_CHARS} characters.',
            hint=(
                "Make one with: python -c "
                '"import secrets; print(secrets.token_urlsafe(48))", '
                "or leave it out to use SECRET_KEY."
            ),
            id="tools_app.E001",
        )
        for key, pepper in given
        if len(pepper) < MIN_PEPPER_CHARS
    ]


def check_tickets(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse a cache in which a ticket could be used more than once."""
    conf, _problems = read_settings()
    if conf.tickets != TICKETS:
        return []
    backend = settings.CACHES["default"]["BACKEND"]
    several = conf.store != MEMORY
    if backend == _FORGETS or (backend == _OF_ONE_PROCESS and several):
        return [
            Error(
                "Tickets could be used more than once: the processes that redeem "
                "them share no cache.",
                hint='Set CACHES["default"] to one that they share, such as '
                "django.core.cache.backends.redis.RedisCache.",
                id="tools_app.E003",
            )
        ]
    return []


def check_ledger(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse wrong settings of the ledger, and tell where it is set but not kept."""
    problems = read_ledger_settings()[1]
    found: list[CheckMessage] = [
        Error(
            f"{problem}.",
            hint="Correct it, or take it out to have its default.",
            id="tools_app.E006",
        )
        for problem in problems
    ]
    if hasattr(settings, "MCP_LEDGER") and not any(
        map(_keeps_ledger, read_settings()[0].observers)
    ):
        found.append(
            Warning(
                "MCP_LEDGER is set, but no ledger is kept.",
                hint=f'Add "{LEDGER}" to MCP["OBSERVERS"].',
                id="tools_app.W002",
            )
        )
    return found


def check_ledger_database(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse a ledger whose database cannot add to its counts."""
    if not any(map(_keeps_ledger, read_settings()[0].observers)):
        return []
    from tools_app.call import Call

    try:
        dialect_of(connections[router.db_for_write(Call)].vendor)
    except ImproperlyConfigured as error:
        return [
            Error(
                f"{error}.",
                hint=(
                    "Send tools_app by DATABASE_ROUTERS to one of these, or take the "
                    'ledger out of MCP["OBSERVERS"].'
                ),
                id="tools_app.E007",
            )
        ]
    return []


def check_secret_key(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse a SECRET_KEY that can be guessed, where it stands in for a pepper."""
    if not in_production() or read_settings()[0].token_pepper is not None:
        return []
    key = str(settings.SECRET_KEY)
    if (
        len(key) >= SECRET_KEY_MIN_LENGTH
        and len(set(key)) >= SECRET_KEY_MIN_UNIQUE_CHARACTERS
        and not key.startswith(SECRET_KEY_INSECURE_PREFIX)
    ):
        return []
    return [
        Error(
            "SECRET_KEY, which keys the digests of tokens and signs, can be guessed.",
            hint=(
                "Make one with: python -c "
                '"import secrets; print(secrets.token_urlsafe(64))", and keep it out '
                "of the repository."
            ),
            id="tools_app.E002",
        )
    ]


def check_entry_kinds(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse kinds of entries that are none: the admin could not show theirs."""
    try:
        entry_kinds()
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint=(
                    "Name classes of tools_app.kinds.kind.EntryKind, each with a name "
                    "of its own, or leave MCP_ENTRY_KINDS out."
                ),
                id="tools_app.E004",
            )
        ]
    return []


def check_files_root(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse a folder of files that is none. Without any, no file is served."""
    if not getattr(settings, FILES_ROOT, None):
        return []
    try:
        files_root()
    except ValueError as error:
        return [
            Error(
                f"{error}.",
                hint="Make the folder, name another, or leave the setting out.",
                id="tools_app.E005",
            )
        ]
    return []


def _accepts_tokens(path: str) -> bool:
    from tools_app.tokens import TokenAuthenticator

    return _names_kind_of(TokenAuthenticator, path)


def _keeps_ledger(path: str) -> bool:
    from tools_app.ledger.ledger import Ledger

    return _names_kind_of(Ledger, path)


def _names_kind_of(expected: type, path: str) -> bool:
    try:
        named = import_string(path)
    except ImportError:
        return False  # mcp_transport.E004 tells of it
    return isinstance(named, type) and issubclass(named, expected)
