"""From a request that was served to what the ledger keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.observing import ServedRequest
from tools_app.call import (
    MAX_ERROR_CHARS,
    MAX_NAME_CHARS,
    MAX_WORD_CHARS,
    NAMED_BY,
    new_id,
)
from tools_app.ledger.durations import bucket_of
from tools_app.ledger.redaction import Redaction, clean, shown, without

# What ``shown`` says behind a text that it cuts.
_MARK_CHARS = 40

LOG_ENTRY = "log_entry"


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of a Call but those that the database has to be asked for, which
    ``caller`` tells.
    """

    fields: dict[str, Any]
    caller: Caller


def recorded(request: ServedRequest, redaction: Redaction) -> Record:
    """Return what is kept of a request whose method is in NAMED_BY.

    It is done when the request is served, so that what waits for the database is
    small and has no secrets.
    """
    named = request.params.get(NAMED_BY[request.method])
    name = named if isinstance(named, str) else ""
    given = request.params.get("arguments")
    arguments = given if isinstance(given, Mapping) else {}
    duration_ms = request.duration_s * 1000
    fields = {
        "id": new_id(),
        "at": datetime.fromtimestamp(request.began_at, UTC),
        "minute": int(request.began_at) // 60,
        "duration_ms": duration_ms,
        "duration_bucket": bucket_of(duration_ms),
        "method": request.method,
        "name": _short(shown(name, MAX_NAME_CHARS - _MARK_CHARS), MAX_NAME_CHARS),
        "subject": _short(request.caller.subject, MAX_NAME_CHARS),
        "actor": _short(request.caller.actor or "", MAX_NAME_CHARS),
        "client": _short(_client(request.client), MAX_NAME_CHARS),
        "door": _short(request.door, MAX_WORD_CHARS),
        "revision": _short(request.revision or "", MAX_WORD_CHARS),
        "session_id": request.session or "",
        "arguments": redaction.redacted(request.known_as, arguments),
        "outcome": request.outcome.value,
        "error_code": request.error_code,
        "error": ""
        if request.error is None
        else _error(request.error, redaction.secrets(request.known_as, arguments)),
        "sent_bytes": request.sent_bytes,
        "trace_id": request.trace_id or "",
        "log_entry": request.notes.get(LOG_ENTRY),
    }
    return Record(fields, request.caller)


def _short(text: str, max_chars: int) -> str:
    return clean(text[:max_chars])


def _client(client: Mapping[str, Any] | None) -> str:
    """Return name and version, as far as the client has told them."""
    told = [(client or {}).get(key) for key in ("name", "version")]
    return "/".join(_word(one[:MAX_NAME_CHARS]) for one in told if isinstance(one, str))


@lru_cache(1024)
def _word(text: str) -> str:
    return shown(text, MAX_WORD_CHARS)


def _error(text: str, secrets: Iterable[Any]) -> str:
    """Return what the client was told, which may repeat what it had sent."""
    max_chars = MAX_ERROR_CHARS - _MARK_CHARS
    # Before it is cut: a part of a secret would not be found.
    text = without(text, secrets)
    return _short(shown(text, max_chars), MAX_ERROR_CHARS)
