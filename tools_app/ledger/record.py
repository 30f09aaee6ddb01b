"""From a request that was served to what the ledger keeps of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

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


class Record(NamedTuple):
    """What is kept of a call until it is written: small, and without secrets."""

    id: uuid.UUID
    method: str
    name: str
    arguments: dict[str, Any]
    caller: Caller
    client: str
    door: str
    revision: str | None
    session: str | None
    began_at: float
    duration_s: float
    outcome: str
    error_code: int | None
    error: str
    sent_bytes: int
    trace_id: str | None
    log_entry: Any

    def fields(self) -> dict[str, Any]:
        """Return the fields of a Call but those that the database has to be asked
        for, which ``caller`` tells.
        """
        duration_ms = self.duration_s * 1000
        return {
            "id": self.id,
            "at": datetime.fromtimestamp(self.began_at, UTC),
            "minute": int(self.began_at) // 60,
            "duration_ms": duration_ms,
            "duration_bucket": bucket_of(duration_ms),
            "method": self.method,
            "name": self.name,
            "subject": clean(self.caller.subject[:MAX_NAME_CHARS]),
            "actor": clean((self.caller.actor or "")[:MAX_NAME_CHARS]),
            "client": self.client,
            "door": clean(self.door[:MAX_WORD_CHARS]),
            "revision": clean((self.revision or "")[:MAX_WORD_CHARS]),
            "session_id": self.session or "",
            "arguments": self.arguments,
            "outcome": self.outcome,
            "error_code": self.error_code,
            "error": self.error,
            "sent_bytes": self.sent_bytes,
            "trace_id": self.trace_id or "",
            "log_entry": self.log_entry,
        }


def recorded(request: ServedRequest, redaction: Redaction) -> Record:
    """Return what is kept of a request whose method is in NAMED_BY.

    It is done when the request is served, so that what waits for the database is
    small and has no secrets. The rest is left to whoever writes it.
    """
    named = request.params.get(NAMED_BY[request.method])
    name = named if isinstance(named, str) else ""
    given = request.params.get("arguments")
    arguments = given if isinstance(given, Mapping) else {}
    return Record(
        id=new_id(),
        method=request.method,
        name=shown(name, MAX_NAME_CHARS - _MARK_CHARS),
        arguments=redaction.redacted(request.known_as, arguments),
        caller=request.caller,
        client=_client(request.client),
        door=request.door,
        revision=request.revision,
        session=request.session,
        began_at=request.began_at,
        duration_s=request.duration_s,
        outcome=request.outcome.value,
        error_code=request.error_code,
        error=""
        if request.error is None
        else _error(request.error, redaction.secrets(request.known_as, arguments)),
        sent_bytes=request.sent_bytes,
        trace_id=request.trace_id,
        log_entry=request.notes.get(LOG_ENTRY),
    )


def _client(client: Mapping[str, Any] | None) -> str:
    """Return name and version, as far as the client has told them."""
    told = [(client or {}).get(key) for key in ("name", "version")]
    return "/".join(_word(one[:MAX_NAME_CHARS]) for one in told if isinstance(one, str))


@lru_cache(1024)
def _word(text: str) -> str:
    return shown(text, MAX_WORD_CHARS)


def _error(text: str, secrets: Iterable[Any]) -> str:
    """Return what the client was told, which may repeat what it had sent."""
    # Before it is cut: a part of a secret would not be found.
    return shown(without(text, secrets), MAX_ERROR_CHARS - _MARK_CHARS)
