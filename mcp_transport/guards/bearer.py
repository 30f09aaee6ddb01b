"""Bearer credentials: read from a request's header, asked for in a challenge.

Spec: 2026-07-28 basic/authorization #token-requirements, #error-handling;
RFC 6750 sections 2.1 and 3; RFC 9110 section 11.
"""

from __future__ import annotations

import re

REALM = "mcp"
MAX_HEADER_CHARS = 8192

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)[ \t]*")
_SCHEME = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]|$)")
# Two Authorization fields reach us joined by a comma.
_SECOND_BEARER = re.compile(r",[ \t]*bearer(?:[ \t,]|$)", re.IGNORECASE)

# RFC 6750 section 3 names the characters of each attribute; RFC 9110 section
# 5.6.4 those of any quoted string.
_QUOTED_STRING = re.compile(r"[\t\x20-\x7e]*")
_ERROR_TEXT = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
_ERROR_URI = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
_ALLOWED = {
    "realm": _QUOTED_STRING,
    "error": _ERROR_TEXT,
    "error_description": _ERROR_TEXT,
    "scope": _SCOPE,
    "resource_metadata": _ERROR_URI,
}


class MalformedCredentials(ValueError):
    """The Authorization header is no credential at all: answer 400.

    Its text is fit for the peer: it never quotes the header.
    """


def credentials(header: str | None) -> str | None:
    """Return the bearer token of an Authorization header.

    None means that no bearer token was sent: there was no header, or it is of
    another scheme, which RFC 6750 section 3.1 treats alike.

    Raises:
        MalformedCredentials: the header is too long, empty, without exactly
            one token after the scheme, or holds a second credential.
    """
    if header is None:
        return None
    if len(header) > MAX_HEADER_CHARS:
        raise MalformedCredentials(
            f"The Authorization header is longer than {MAX_HEADER_CHARS} characters."
        )
    if match := _BEARER.fullmatch(header):
        return match[1]
    scheme = _SCHEME.match(header)
    if (
        scheme is None
        or scheme[1].lower() == "bearer"
        or _SECOND_BEARER.search(header) is not None
    ):
        raise MalformedCredentials(
            'The Authorization header must be "Bearer", a space and one token.'
        )
    return None


def challenge(
    *,
    realm: str | None = None,
    resource_metadata: str | None = None,
    scope: str | None = None,
    error: str | None = None,
    description: str | None = None,
) -> str:
    """Return the value of a WWW-Authenticate header.

    ``error`` is left out when no token was sent, "invalid_token" when one was
    and "insufficient_scope" with a 403. ``scope`` holds every scope of the
    operation, separated by single spaces.

    Raises:
        ValueError: an attribute holds a character that its grammar forbids.
    """
    attributes = {
        "realm": realm,
        "error": error,
        "error_description": description,
        "scope": scope,
        "resource_metadata": resource_metadata,
    }
    sent = [
        _attribute(name, value)
        for name, value in attributes.items()
        if value is not None
    ]
    return f"Bearer {', '.join(sent)}" if sent else "Bearer"


def _attribute(name: str, value: str) -> str:
    if _ALLOWED[name].fullmatch(value) is None:
        raise ValueError(
            f"The challenge's {name} {value!r} holds characters that do not belong "
            f"there: give it as {_ALLOWED[name].pattern}."
        )
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
