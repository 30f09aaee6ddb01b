"""Who is connected, over all processes that serve the same sessions.

What leaves here names sessions and streams by handles, by which an administrator
can end them and nobody can use them.
"""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from functools import cache
from typing import Generic, Protocol, TypeVar

from mcp_transport.engine.session import Session

HANDLE_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSession:
    """A session that is kept. Times are in seconds since the epoch.

    ``token_id`` is that of the credential it was begun with; ``client`` is what the
    client calls itself. All of them are "" where they are not known.
    """

    handle: str
    subject: str
    token_id: str
    door: str
    client: str
    revision: str
    began_at: float
    used_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenStream:
    """A stream or socket that is open, as SeenSession.

    ``session`` is the handle of the session it belongs to, "" where there is none;
    ``standing`` is False where it is the reply to one call, and ends with it;
    ``process`` is the host and process that holds it.
    """

    handle: str
    subject: str
    token_id: str
    door: str
    client: str
    revision: str
    began_at: float
    used_at: float
    session: str
    standing: bool
    process: str


Seen = TypeVar("Seen", SeenSession, SeenStream)


@dataclass(frozen=True, slots=True)
class Census(Generic[Seen]):
    """Those that were used last, and how many there are in all."""

    seen: tuple[Seen, ...]
    total: int


class Streams(Protocol):
    """The streams and sockets that are open in this process."""

    def census(self, most: int) -> Census[SeenStream]:
        """Return at most so many. Any thread may ask."""
        ...

    def dismiss(self, handle: str) -> bool:
        """End one, on the event loop; False where it is not here."""
        ...


class Presence(Protocol):
    """Shows what is open to whoever asks, in this process or another.

    The async methods may be awaited on any event loop, of a process that serves
    nobody too. They raise StoreUnavailable.
    """

    def watch(self, streams: Streams) -> None:
        """Show these as what is open in this process."""
        ...

    def changed(self) -> None:
        """Something was opened or closed here. Returns at once; on the event loop."""
        ...

    async def sessions(self, most: int) -> Census[SeenSession]:
        """Return the sessions of all processes, at most so many."""
        ...

    async def streams(self, most: int) -> Census[SeenStream]:
        """Return what is open in all processes, at most so many of each."""
        ...

    async def end_session(self, handle: str) -> bool:
        """End a session, its streams and its calls: its id is unknown from now on.

        False where there is none.
        """
        ...

    async def end_stream(self, handle: str) -> bool:
        """End a stream or socket, and the calls that end with it; False where there
        is none. In another process it takes up to a second.
        """
        ...


def session_handle(session_id: str) -> str:
    """Return what a session may be called in public: its id is not found by it."""
    digest = hashlib.sha256(session_id.encode("utf-8", "replace"))
    return digest.hexdigest()[:HANDLE_DIGITS]


def seen_session(session: Session, began_at: float, used_at: float) -> SeenSession:
    peer = session.peer
    return SeenSession(
        handle=session_handle(session.id),
        subject=session.subject,
        token_id=session.token_id,
        door=session.door,
        client="" if peer is None else peer.client,
        revision="" if peer is None else peer.revision.name,
        began_at=began_at,
        used_at=used_at,
    )


@cache
def this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
