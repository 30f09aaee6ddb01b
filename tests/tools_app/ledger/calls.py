"""Calls as the engine tells of them, and as rows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.observing import Outcome, ServedRequest
from tools_app.ledger.counting import count
from tools_app.ledger.durations import bucket_of
from tools_app.models import Call

CALLER = Caller("token:abc", frozenset({"*"}))


def served(name: Any = "greet", **given: Any) -> ServedRequest:
    """Return a call of a tool that went well, but for what is given."""
    arguments = given.pop("arguments", {})
    fields: dict[str, Any] = {
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
        "request_id": 1,
        "headers": None,
        "caller": CALLER,
        "door": "streamable-http",
        "revision": "2026-07-28",
        "client": {"name": "example", "version": "1.2"},
        "session_id": None,
        "began_at": time.time(),
        "duration_s": 0.025,
        "outcome": Outcome.OK,
        "error_code": None,
        "error": None,
        "sent_bytes": 120,
        "known_as": (name,) if isinstance(name, str) else (),
        "notes": {},
    }
    return ServedRequest(**{**fields, **given})


def call(ago: timedelta = timedelta(), **given: Any) -> Call:
    """Return an unsaved row, of a call that went well but for what is given."""
    at: datetime = timezone.now() - ago
    duration_ms = given.pop("duration_ms", 25.0)
    fields = {
        "method": "tools/call",
        "name": "greet",
        "subject": "token:abc",
        "door": "streamable-http",
        "revision": "2026-07-28",
        "outcome": Outcome.OK.value,
        "sent_bytes": 120,
    }
    return Call(
        at=at,
        minute=int(at.timestamp()) // 60,
        duration_ms=duration_ms,
        duration_bucket=bucket_of(duration_ms),
        **{**fields, **given},
    )


def add_calls(calls: Iterable[Call]) -> None:
    """Write rows, and count them, as the ledger does."""
    with transaction.atomic():
        added = Call.objects.bulk_create(calls)
        count(connection, [vars(one) for one in added])
