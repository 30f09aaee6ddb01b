"""A record in the log for each request and each connection.

The message is one line for a person; everything in it is an attribute of the
record as well, under a name that begins with ``mcp_``, for a formatter such as
``JsonFormatter``. Arguments and results are never logged.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.observing import Connection, Observer, ServedRequest
from mcp_transport.monitoring.redaction import REDACTED
from mcp_transport.monitoring.secrecy import without_credentials

calls = logging.getLogger("mcp_transport.calls")
connections = logging.getLogger("mcp_transport.connections")

MAX_SHOWN_CHARS = 120
_PLAIN = re.compile(r"[!#-~]+")


class CallLog(Observer):
    """Logs at INFO, to ``mcp_transport.calls`` and ``mcp_transport.connections``."""

    def request_served(self, request: ServedRequest) -> None:
        if not calls.isEnabledFor(logging.INFO):
            return
        # Nobody keeps a client from writing a secret into a URI.
        name = request.name and without_credentials(request.name, REDACTED)
        code = request.error_code
        duration_ms = round(1000 * request.duration_s, 3)
        _log(
            calls,
            "%s%s: %s%s in %.1f ms, %s by %s",
            shown(request.method),
            "" if name is None else f" {shown(name)}",
            request.outcome.value,
            "" if code is None else f" {code}",
            duration_ms,
            request.door,
            _who(request.caller),
            extra={
                "mcp_method": request.method,
                "mcp_name": name,
                **_of_caller(request.caller),
                "mcp_door": request.door,
                "mcp_client": client_line(request.client),
                "mcp_revision": request.revision,
                "mcp_session": request.session,
                "mcp_outcome": request.outcome.value,
                "mcp_error_code": code,
                "mcp_duration_ms": duration_ms,
                "mcp_sent_bytes": request.sent_bytes,
                "mcp_trace_id": request.trace_id,
            },
        )

    def connection_began(self, connection: Connection) -> None:
        if connections.isEnabledFor(logging.INFO):
            _log(
                connections,
                "%s began, by %s",
                connection.door,
                _who(connection.caller),
                extra={
                    "mcp_event": "began",
                    **_of_caller(connection.caller),
                    "mcp_door": connection.door,
                },
            )

    def connection_ended(self, connection: Connection) -> None:
        if not connections.isEnabledFor(logging.INFO):
            return
        client = client_line(connection.client)
        _log(
            connections,
            "%s ended (%s) after %.1f s, by %s%s",
            connection.door,
            connection.ending,
            connection.duration_s,
            _who(connection.caller),
            f" with {shown(client)}" if client else "",
            extra={
                "mcp_event": "ended",
                **_of_caller(connection.caller),
                "mcp_door": connection.door,
                "mcp_client": client,
                "mcp_revision": connection.revision,
                "mcp_ending": connection.ending,
                "mcp_duration_ms": round(1000 * connection.duration_s, 3),
                "mcp_received": connection.received,
                "mcp_sent": connection.sent,
                "mcp_sent_bytes": connection.sent_bytes,
            },
        )


def _log(
    logger: logging.Logger, message: str, *args: object, extra: Mapping[str, object]
) -> None:
    """Do what ``logger.info`` does, but for looking up the stack for who called it:
    that would cost as much as the rest.
    """
    record = logger.makeRecord(
        logger.name,
        logging.INFO,
        __file__,
        0,
        message,
        args,
        None,
        None,
        extra,
    )
    logger.handle(record)


def shown(text: str) -> str:
    """Return a peer's text so that it can be told from ours: as it is where it is
    one plain word, and otherwise quoted, escaped and cut.
    """
    if len(text) <= MAX_SHOWN_CHARS and _PLAIN.fullmatch(text):
        return text
    cut = text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"
    return '"' + "".join(map(_escaped, cut)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    # Neither a line end nor a mark that turns the direction is printable.
    return char if char.isprintable() else ascii(char)[1:-1]


def client_line(client: Mapping[str, Any] | None) -> str | None:
    """Return what a client calls itself, name and version, cut to 120 characters."""
    parts = [(client or {}).get(key) for key in ("name", "version")]
    said = " ".join(part for part in parts if type(part) is str)
    return said[:MAX_SHOWN_CHARS] or None


def _who(caller: Caller) -> str:
    if caller.actor is None:
        return shown(caller.subject)
    return f"{shown(caller.actor)} as {shown(caller.subject)}"


def _of_caller(caller: Caller) -> dict[str, str | None]:
    return {
        "mcp_subject": caller.subject,
        "mcp_token": caller.token_id,
        "mcp_actor": caller.actor,
    }
