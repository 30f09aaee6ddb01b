"""System checks: what would make a token useless, said before it is issued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

TOKEN_AUTHENTICATOR = "tools_app.tokens.TokenAuthenticator"
MIN_PEPPER_CHARS = 32


def check_authenticators(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Warn where no authenticator accepts the tokens that are issued here."""
    named = _mcp_settings().get("AUTHENTICATORS", [])
    if isinstance(named, (list, tuple)) and any(map(_accepts_tokens, named)):
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
    """Refuse a pepper that can be guessed."""
    pepper = _mcp_settings().get("TOKEN_PEPPER")
    if pepper is None:
        return []
    if isinstance(pepper, str) and len(pepper) >= MIN_PEPPER_CHARS:
        return []
    return [
        Error(
            'MCP["TOKEN_PEPPER"] must be a string of at least '
            f"{MIN_PEPPER_CHARS} characters.",
            hint=(
                "Make one with: python -c "
                '"import secrets; print(secrets.token_urlsafe(48))", '
                "or leave it out to use SECRET_KEY."
            ),
            id="tools_app.E001",
        )
    ]


def _accepts_tokens(path: object) -> bool:
    from tools_app.tokens import TokenAuthenticator

    if path == TOKEN_AUTHENTICATOR:
        return True
    try:
        named = import_string(path) if isinstance(path, str) else None
    except ImportError:
        return False  # whoever loads the authenticators says so
    return isinstance(named, type) and issubclass(named, TokenAuthenticator)


def _mcp_settings() -> Mapping[str, Any]:
    given = getattr(settings, "MCP", {})
    return given if isinstance(given, Mapping) else {}
