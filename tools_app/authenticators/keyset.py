"""The public keys that an issuer of tokens publishes (RFC 7517)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Final
from urllib.request import urlopen

from jwt import PyJWK
from jwt.exceptions import PyJWTError
from pydantic_core import from_json

logger = logging.getLogger(__name__)

RETRY_S: Final = 60.0
FRESH_S: Final = 3600.0
KEPT_S: Final = 86_400.0
MAX_BYTES: Final = 1_048_576


class KeySet:
    """The keys at ``url``, by their ids. It is for threads, never for an event loop.

    They are fetched when first needed, after an hour, and for an id that is unknown,
    but no more than once a minute, whatever comes of it. While the issuer is away,
    those that are known are used for a day. ``clock`` gives monotonic seconds.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at_s = self._tried_at_s = float("-inf")
        self._lock = threading.Lock()

    def get(self, key_id: str) -> PyJWK | None:
        """Return the key of that id, None where the issuer has none.

        Raises:
            OSError: the issuer has been out of reach for too long.
        """
        known = self._keys.get(key_id)
        if known is None or self._age_s() >= FRESH_S:
            with self._lock:
                if self._clock() - self._tried_at_s >= RETRY_S:
                    self._tried_at_s = self._clock()
                    self._fetch()
        if self._age_s() >= KEPT_S:
            raise OSError("The keys of the issuer of tokens are not known.")
        return self._keys.get(key_id)

    def _age_s(self) -> float:
        return self._clock() - self._fetched_at_s

    def _fetch(self) -> None:
        try:
            with urlopen(self._url, timeout=self._timeout_s) as reply:
                body = reply.read(MAX_BYTES + 1)
            if len(body) > MAX_BYTES:
                raise ValueError("the set of keys is too large")
            entries = from_json(body)["keys"]
            if not isinstance(entries, list):
                raise ValueError("the keys are no list")
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            logger.exception("The keys at %s could not be fetched.", self._url)
            return
        self._keys = dict(map(_key, filter(_verifies, entries)))
        self._fetched_at_s = self._clock()


def _verifies(entry: object) -> bool:
    """Tell whether an entry is a public key, of a kind that we can use, with an id.

    A symmetric key is none: whoever can read it could sign.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return False
    if entry.get("kty") == "oct" or entry.get("use", "sig") != "sig":
        return False
    try:
        key = PyJWK(entry)
        problem = key.Algorithm.check_key_length(key.key)
    except PyJWTError as error:
        problem = type(error).__name__
    if problem:
        logger.warning("Key %r of an issuer is not used: %s", entry["kid"], problem)
    return not problem


def _key(entry: dict[str, str]) -> tuple[str, PyJWK]:
    return entry["kid"], PyJWK(entry)
