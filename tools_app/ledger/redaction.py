"""What a ledger may keep of the arguments of a call: nothing secret, nothing long.

What a key names as secret is hidden, at any depth, and what looks like a credential
wherever it stands. This is a net, not a proof: who knows better says so in
``MCP_LEDGER["REDACT"]``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from itertools import islice
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any

from mcp_transport.monitoring.secrecy import (
    MAX_KEY_CHARS,
    is_secret_key,
    without_credentials,
)

HIDDEN = "(hidden)"
CUT = "…"
MAX_TEXT_CHARS = 500
MAX_DEPTH = 20
MAX_INTEGER_BITS = 256
# What is shorter may stand in an error by chance.
MIN_SECRET_CHARS = 3
MAX_SECRETS = 100
# So much of a text is looked at for what it hides.
_SEEN_CHARS = 4 * MAX_TEXT_CHARS
# From here on a text of these letters alone is taken for what it encodes.
_BINARY_CHARS = 200
# What stands between this value, or key, and the next.
_ITEM_BYTES = 2
_BRACKET_BYTES = 2

_BINARY = re.compile(
    rf"data:[\w.+/;=-]*;base64,|[A-Za-z0-9+/_-]{{{_BINARY_CHARS}}}[A-Za-z0-9+/_=\s-]*$"
)


def _size(text: str) -> int:
    """Return how many bytes a text takes in JSON, with what follows it."""
    return len(encode_basestring_ascii(text)) + _ITEM_BYTES


# As a key and its value.
_CUT_BYTES = 2 * _size(CUT)


class Redaction:
    """``rules`` and ``max_bytes`` are ``redact`` and ``max_arguments_bytes`` of
    Options. Any thread may use it.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]], max_bytes: int) -> None:
        self._rules = [
            (name, [key.lower() for key in keys]) for name, keys in rules.items()
        ]
        self._max_bytes = max_bytes
        self._found = lru_cache(4096)(self._find)

    def redacted(
        self, names: tuple[str, ...], arguments: Mapping[Any, Any]
    ) -> dict[str, Any]:
        """Return what may be kept of the arguments of an entry that goes by ``names``.

        Where no entry was found nobody can tell which one was meant: then all of the
        rules count.
        """
        is_secret = partial(self._is_secret, names)
        return _Walk(is_secret, self._max_bytes).dictionary(arguments, 0)

    def secrets(
        self, names: tuple[str, ...], arguments: Mapping[Any, Any]
    ) -> Iterator[Any]:
        """Yield the values that ``redacted`` hides, also where it has no room."""
        left: list[Any] = [arguments]
        seen: set[int] = set()
        while left:
            value = left.pop()
            if id(value) in seen:
                continue
            if isinstance(value, Mapping):
                seen.add(id(value))
                for key, inner in value.items():
                    if self._is_secret(names, str(key)):
                        yield inner
                    else:
                        left.append(inner)
            elif isinstance(value, list | tuple):
                seen.add(id(value))
                left.extend(value)

    def _is_secret(self, names: tuple[str, ...], key: str) -> bool:
        # Not the cache's business: a client can send a megabyte of a key.
        return len(key) > MAX_KEY_CHARS or self._found(names, key)

    def _find(self, names: tuple[str, ...], key: str) -> bool:
        return is_secret_key(key) or any(
            fnmatchcase(key.lower(), hidden)
            for pattern, keys in self._rules
            if not names or any(fnmatchcase(name, pattern) for name in names)
            for hidden in keys
        )


class _Walk:
    """One way through the arguments of one call. It ends, and leaves one mark, where
    something does not fit into the bytes that are left.
    """

    def __init__(self, is_secret: Callable[[str], bool], max_bytes: int) -> None:
        self._is_secret = is_secret
        self._left_bytes = max_bytes - _BRACKET_BYTES - _CUT_BYTES
        self._full = False

    def dictionary(self, given: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in given.items():
            is_secret = self._is_secret(str(key))
            key = clean(str(key)[:MAX_KEY_CHARS])
            if not self._fits(_size(key)):
                kept[CUT] = CUT
                break
            if is_secret:
                kept[key] = self._text(HIDDEN)
            else:
                kept[key] = self._value(value, depth + 1)
            if self._full:
                break
        return kept

    def _list(self, given: Sequence[Any], depth: int) -> list[Any]:
        kept: list[Any] = []
        for value in given:
            kept.append(self._value(value, depth + 1))
            if self._full:
                break
        return kept

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(shown(value))
        if isinstance(value, Mapping | list | tuple):
            if depth >= MAX_DEPTH or not self._fits(_BRACKET_BYTES + _ITEM_BYTES):
                return CUT
            if isinstance(value, Mapping):
                return self.dictionary(value, depth)
            return self._list(value, depth)
        if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
            return self._text(f"(a number of {value.bit_length()} bits)")
        if isinstance(value, float) and not isfinite(value):
            return self._text(str(value))
        if value is None or isinstance(value, int | float):
            return value if self._fits(len(str(value)) + _ITEM_BYTES) else CUT
        return self._text(f"({type(value).__name__})")

    def _text(self, text: str) -> str:
        return text if self._fits(_size(text)) else CUT

    def _fits(self, size: int) -> bool:
        """Take so many bytes; False, and the walk is over, where they are not left."""
        if size > self._left_bytes:
            self._full = True
            return False
        self._left_bytes -= size
        return True


def clean(text: str) -> str:
    """Return a text that every database takes: without NUL and lone surrogates."""
    if text.isascii():
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode("utf-8")


def shown(text: str, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Return as much of a text as may be kept: at most ``max_chars`` and its size."""
    seen = text[:_SEEN_CHARS]
    if len(seen) >= _BINARY_CHARS and _BINARY.match(seen):
        return f"(binary, {len(text):,} characters)"
    seen = clean(seen)
    seen = without_credentials(seen, HIDDEN)
    if len(text) <= max_chars and len(seen) <= max_chars:
        return seen
    return f"{seen[:max_chars]}{CUT} ({len(text):,} characters)"


def without(text: str, hidden: Iterable[Any]) -> str:
    """Return a text in which the values that were hidden are hidden as well, also as
    Python and JSON write them; nothing of it where there are more of them than it is
    worth to look for.
    """
    secrets = list(islice(_texts(hidden), MAX_SECRETS + 1))
    if len(secrets) > MAX_SECRETS:
        return HIDDEN
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= MIN_SECRET_CHARS:
            for written in {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}:
                text = text.replace(written, HIDDEN)
    return text


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from _texts_of(value)


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _texts(value.values())
    elif isinstance(value, list | tuple):
        yield from _texts(value)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
