"""A reader of event streams that knows one way to write an event, and no other.

The standard lets lines end in three ways and skips what it does not know, so that
a reader after its letter could take a line for meant which a text has smuggled in.
Here every byte must be one that the server means to write.

Spec: WHATWG HTML section 9.2 (server-sent events).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.verdict import require

FIELDS = frozenset({"event", "id", "retry", "data"})
COMMENT = ":"
# CR is a line end, and NUL makes an id void, wherever they stand.
NEVER = frozenset(b"\r\0")


@dataclass(frozen=True, slots=True)
class ServerSent:
    """One event as it was written; what it has not is None."""

    event: str | None
    id: str | None
    retry: str | None
    data: str | None


class EventStream:
    """Reads events from pieces that may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def is_between(self) -> bool:
        """Tell whether no event has begun that did not end."""
        return not self._rest

    def feed(self, piece: bytes) -> list[ServerSent]:
        """Return the events that ``piece`` completes. Raises Failed."""
        require(not NEVER & set(piece), f"a CR or NUL was written: {piece[:300]!r}")
        *blocks, self._rest = (self._rest + piece).split(b"\n\n")
        return [event for block in blocks if (event := _read(block)) is not None]


def read_all(body: bytes) -> list[ServerSent]:
    """Return the events of a whole stream. Raises Failed."""
    stream = EventStream()
    events = stream.feed(body)
    require(stream.is_between, f"the stream ended within an event: {body[-300:]!r}")
    return events


def _read(block: bytes) -> ServerSent | None:
    """Return an event, or None for a comment."""
    text = block.decode("utf-8")
    if text == COMMENT:
        return None
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(": ")
        known = bool(colon) and name in FIELDS and name not in fields
        require(known, f"no line that is meant: {line[:300]!r}")
        fields[name] = value
    return ServerSent(**{name: fields.get(name) for name in FIELDS})
