"""Tokens that only this server can have made: signed, not encrypted.

Whoever holds a token can read what it carries. Spec: 2026-07-28
basic/patterns/mrtr (integrity of requestState); RFC 2104.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

MIN_KEY_BYTES: Final = 16

_VERSION: Final = "v1"


class Signer:
    """Signs with the first key and verifies with all: keys are rotated by putting
    the new one in front and dropping the last once its tokens have expired.

    A token is ``v1.<payload>.<HMAC-SHA256>`` in URL-safe base64 without padding.

    Raises ValueError when there is no key, or one under MIN_KEY_BYTES.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if isinstance(keys, bytes | str):
            raise TypeError("keys must be a sequence of byte strings: [key]")
        if not keys:
            raise ValueError("Signer needs at least one key")
        if any(len(key) < MIN_KEY_BYTES for key in keys):
            raise ValueError(f"A signing key must have {MIN_KEY_BYTES} bytes or more")
        self._keys = tuple(keys)

    def sign(self, purpose: str, payload: bytes) -> str:
        """Return a token that verifies under the same ``purpose`` only."""
        head = f"{_VERSION}.{_encode(payload)}"
        return f"{head}.{_mac(self._keys[0], purpose, head)}"

    def verify(self, purpose: str, token: str) -> bytes | None:
        """Return the payload of a token, or None when it is not one of ours."""
        if not token.isascii():
            return None
        head, _, mac = token.rpartition(".")
        # Compared as text, and before anything is decoded: a token has one
        # spelling only, and nothing that was not signed is ever interpreted.
        if not any(
            hmac.compare_digest(_mac(key, purpose, head), mac) for key in self._keys
        ):
            return None
        payload = head.removeprefix(f"{_VERSION}.")
        return urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


def _mac(key: bytes, purpose: str, head: str) -> str:
    own_key = hmac.digest(key, purpose.encode(), "sha256")
    return _encode(hmac.digest(own_key, head.encode(), "sha256"))


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
