"""System checks: what would make a token useless, said before it is issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from mcp_transport.conf import Conf, read

TOKEN_AUTHENTICATOR = "tools_app.tokens.TokenAuthenticator"
MIN_PEPPER_CHARS = 32


def check_authenticators(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Warn where no authenticator accepts the tokens that are issued here."""
    if any(map(_accepts_tokens, _conf().authenticators)):
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
    conf = _conf()
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


def _accepts_tokens(path: str) -> bool:
    from tools_app.tokens import TokenAuthenticator

    try:
        named = import_string(path)
    except ImportError:
        return False  # mcp_transport.E004 tells of it
    return isinstance(named, type) and issubclass(named, TokenAuthenticator)


def _conf() -> Conf:
    """The settings; what is wrong among them, mcp_transport.E001 tells."""
    conf, _problems = read(getattr(settings, "MCP", {}))
    return conf
