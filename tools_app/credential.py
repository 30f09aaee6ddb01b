"""The text of a token, and the digest that is kept in its place.

A token reads ``mcp_<public id>_<secret>``. The public id finds the row and may
be shown; the secret carries 256 random bits, so that a fast keyed hash guards
it as well as a slow one would. The digest is HMAC-SHA256 of the whole text
under a pepper, which is kept outside the database: a stolen table can neither
be searched for known tokens nor have tokens of the thief's own added to it.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string

from django.conf import settings

from mcp_transport.conf import get_conf

PREFIX = "mcp_"  # what secret scanners look for
PUBLIC_ID_CHARS = 12  # of 36: 62 bits, so that two never meet
SECRET_CHARS = 43  # of 62: the fewest that carry 256 bits

# One case only, because some databases compare text without regard to case.
_PUBLIC_ID_ALPHABET = string.digits + string.ascii_lowercase
_SECRET_ALPHABET = string.digits + string.ascii_letters
_TOKEN = re.compile(
    rf"{PREFIX}([0-9a-z]{{{PUBLIC_ID_CHARS}}})_[0-9A-Za-z]{{{SECRET_CHARS}}}"
)
_PURPOSE = b"tools_app.credential.pepper"


def new_public_id() -> str:
    return _random(_PUBLIC_ID_ALPHABET, PUBLIC_ID_CHARS)


def new_token_text(public_id: str) -> str:
    return f"{PREFIX}{public_id}_{_random(_SECRET_ALPHABET, SECRET_CHARS)}"


def public_id_of(token: str) -> str | None:
    """Return the public id inside a token's text; None if it is no token of ours."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else None


def peppers() -> tuple[hmac.HMAC, ...]:
    """Return the keyed hashes that may have made a digest; the first makes new ones.

    The first is ``MCP["TOKEN_PEPPER"]`` where it is set, then come SECRET_KEY,
    SECRET_KEY_FALLBACKS and ``MCP["TOKEN_PEPPER_FALLBACKS"]``: neither setting a
    pepper nor rotating either key withdraws a token.
    """
    conf = get_conf()
    given = [] if conf.token_pepper is None else [conf.token_pepper]
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return tuple(map(_pepper, [*given, *keys, *conf.token_pepper_fallbacks]))


def digest(pepper: hmac.HMAC, token: str) -> bytes:
    """Return the 32 bytes that stand for ``token``, which is ASCII."""
    # Copying a keyed hash costs half of keying a new one.
    keyed = pepper.copy()
    keyed.update(token.encode("ascii"))
    return keyed.digest()


def _pepper(key: str | bytes) -> hmac.HMAC:
    material = key.encode() if isinstance(key, str) else key
    # Derived, so that the pepper is no other use of the same setting.
    return hmac.new(hmac.digest(material, _PURPOSE, "sha256"), digestmod="sha256")


def _random(alphabet: str, chars: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(chars))
