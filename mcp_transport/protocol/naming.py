"""What a name and a text in a listing may hold, checked at registration.

A model reads them as instructions, so nothing in them may be invisible.

Spec: 2026-07-28 server/tools #tool-names.
"""

from __future__ import annotations

import re

MAX_NAME_LENGTH = 128
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")

_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029"
_DIRECTION = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NO_WIDTH = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f"
)
_FILLER = r"\u3164\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_SURROGATE = r"\ud800-\udfff"
_HIDDEN = re.compile(
    f"[{_CONTROL}{_DIRECTION}{_NO_WIDTH}{_FILLER}{_SURROGATE}]"
    # Joiners shape some scripts and emoji, so they pass between two such.
    r"|(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]"
    r"|[\u200c\u200d](?![^\x00-\x7f\u200c\u200d])"
    # One variation selector chooses a glyph; a row of them spells a message.
    r"|[\ufe00-\ufe0f]{2}"
)


def check_name(name: str) -> str:
    """Return ``name``; raise ValueError unless it can name a tool or a prompt."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name[:MAX_NAME_LENGTH]!r} is not a valid name: use 1 to "
            f"{MAX_NAME_LENGTH} of the characters A-Z a-z 0-9 _ - ."
        )
    return name


def check_text(text: str) -> str:
    """Return ``text``; raise ValueError if a reader would not see all of it.

    Refused are control characters but line feed and tab, marks that change
    the direction of writing, characters without width, and lone surrogates.
    """
    found = _HIDDEN.search(text)
    if found:
        raise ValueError(
            f"character U+{ord(found[0][0]):04X} at position {found.start()} of "
            f"{text[:40]!r} cannot be seen by a reader: remove it"
        )
    return text
