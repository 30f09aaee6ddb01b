"""What may be a secret, by its name or by its looks.

It finds what is named as people name such things, and what looks like a credential
wherever it stands: a net, and no proof.
"""

from __future__ import annotations

import re
from functools import lru_cache

# What is longer is no name, and what it says may stand where it is cut.
MAX_KEY_CHARS = 100

# In a key as small letters without what joins its words.
_WORDS = re.compile(
    "passw|passphrase|passcode|secret|token(?!s$)|(?:access|api|auth|refresh)tokens|"
    "credential|authori[sz]ation|bearer|cookie|signature|apikey|accesskey|privatekey|"
    "signingkey|encryptionkey|sessionid|jwt|creditcard|cardnumber"
)
_KEYS = frozenset(("auth", "cvc", "cvv", "otp", "pass", "pin", "pwd", "totp"))
# The protocol's own, which tells a client's calls apart and grants nothing.
_HARMLESS = frozenset(("progresstoken",))
_JOINTS = re.compile(r"[^a-z0-9]+")

_CREDENTIAL = re.compile(
    r"\bmcp_[0-9a-z]{12}_\w+"  # a token of tools_app
    r"|(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"  # RFC 6750 section 2.1, RFC 7617
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?"  # a JSON Web Token
    r"|\b(?:token|ticket)-[\w.~-]{16,}"  # what a browser offers as a subprotocol
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
    r"|(?<=://)[^/\s@]+@",
    re.DOTALL,
)
# A parameter of a URL, of which its name says what it is.
_PARAMETER = re.compile(r"([?&;#])([^=&;#\s]{1,100})=([^&;#\s]+)")
# No credential is without one of these, and they are found much faster.
_MARKS = ("mcp_", "bearer", "basic", "eyj", "token-", "ticket-", "-----begin", "://")


def is_secret(key: str) -> bool:
    """Tell whether a key names what only its owner may read."""
    return len(key) > MAX_KEY_CHARS or _names_a_secret(key)


@lru_cache(4096)
def _names_a_secret(key: str) -> bool:
    name = _JOINTS.sub("", key.lower())
    if name in _HARMLESS:
        return False
    return name in _KEYS or _WORDS.search(name) is not None


def without_credentials(text: str, instead: str) -> str:
    """Return a text with ``instead`` in the place of each credential, those in the
    parameters of a URL included.
    """
    lower = text.lower()
    for mark in _MARKS:
        if mark in lower:
            text = _CREDENTIAL.sub(instead, text)
            break
    if "=" not in text:
        return text

    def without_secret(found: re.Match[str]) -> str:
        before, key, _value = found.groups()
        return f"{before}{key}={instead}" if is_secret_key(key) else found[0]

    return _PARAMETER.sub(without_secret, text)


def is_secret_key(key: str) -> bool:
    """Tell whether a key, or a header, names what only its owner may read."""
    # Of such a header only its sender knows what it is.
    return key.lower().startswith("x-") or is_secret(key)
