"""What of a message may be shown to whoever reads a log.

A value whose key says that it is a secret is left out, and so is what looks like a
bearer credential wherever it stands. That finds what is named as people name such
things: it is a net, and no proof.
"""

from __future__ import annotations

import re
from typing import Any

REDACTED = "[redacted]"
MAX_STRING_CHARS = 200

# A key, in lower case and without what joins its words.
_SECRET = re.compile(
    r"passw(or)?d|passphrase|passcode|^pass$|secret|token$|apikey|accesskey|privatekey"
    r"|authori[sz]ation|credential|cookie|signature|bearer|^jwt$|^pin$|^otp$|^cv[cv]$"
)
_JOINTS = re.compile(r"[\W_]+")
# The protocol's own, which tells a client's calls apart and grants nothing.
_HARMLESS = frozenset({"progresstoken"})
_CREDENTIAL = re.compile(
    r"(?i:\bbearer\s+)[\w\-.~+/]{8,}=*"  # RFC 6750 section 2.1
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]+"  # a JSON Web Token
    r"|\bmcp_[0-9a-z]{12}_\w{20,}"  # a token of tools_app
    r"|\b(?:token|ticket)-[\w\-.~]{16,}"  # what a browser offers as a subprotocol
)


def is_secret(key: str) -> bool:
    """Tell whether a key names what only its owner may read."""
    name = _JOINTS.sub("", key).lower()
    return name not in _HARMLESS and _SECRET.search(name) is not None


def redacted(value: Any) -> Any:
    """Return JSON without its secrets, and with its long strings cut."""
    if isinstance(value, dict):
        return {
            _cut(key): REDACTED if is_secret(key) else redacted(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return _cut(value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    cut = _CREDENTIAL.sub(REDACTED, text[: 4 * MAX_STRING_CHARS])
    if len(cut) <= MAX_STRING_CHARS and len(text) <= 4 * MAX_STRING_CHARS:
        return cut
    return f"{cut[:MAX_STRING_CHARS]}… ({len(text)} characters)"
