"""One client of a stateful revision, and where such clients are kept.

Spec: 2025-11-25 basic/lifecycle, basic/transports #session-management.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import Change, ListChanged
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import Id
from mcp_transport.protocol.peer import Peer


class Claimed(Exception):
    """The id of a request was used in its session before."""

    def __init__(self, request_id: Id) -> None:
        super().__init__(request_id)
        self.request_id = request_id


@dataclass(slots=True, eq=False)
class Session:
    """The state of one client between its requests.

    ``subject`` is the caller that it belongs to: to every other caller it does
    not exist. ``door`` is the name of the binding that it was begun at, and
    ``token_id`` that of the credential, where it has one.
    """

    id: str
    subject: str
    peer: Peer | None = None
    phase: Phase = Phase.NEW
    subscriptions: set[str] = field(default_factory=set)
    door: str = ""
    token_id: str = ""

    def initialized(self) -> None:
        """The client has said that it is ready."""
        if self.phase is Phase.INITIALIZED:
            self.phase = Phase.READY

    def wants(self, change: Change) -> bool:
        """Tell whether the client is to hear of ``change``.

        Before it is ready it hears nothing. Spec: 2025-11-25 basic/lifecycle.
        """
        if self.phase is not Phase.READY:
            return False
        return isinstance(change, ListChanged) or change.uri in self.subscriptions

    @classmethod
    def new(cls, caller: Caller, door: str = "") -> Session:
        """Make a session with an id of 192 random bits, visible ASCII."""
        id, token_id = secrets.token_urlsafe(24), caller.token_id or ""
        return cls(id, caller.subject, door=door, token_id=token_id)


class SessionStore(Protocol):
    """Keeps sessions by id. A session that ends takes its streams with it.

    All methods raise StoreUnavailable.
    """

    async def add(self, session: Session) -> None:
        """Keep a new session; at its caller's cap another one makes room. One
        that is there already under its id stays.
        """
        ...

    async def get(
        self, id: str, subject: str, claims: Collection[Id] = ()
    ) -> Session | None:
        """Return the session, or None when unknown, expired or another's.

        ``claims`` are the ids of requests that are about to run, and may do so
        once in a session. Raises Claimed for one that was claimed before.
        """
        ...

    async def save(self, session: Session) -> None:
        """Keep what was changed in ``session``."""
        ...

    async def remove(self, id: str) -> None: ...

    def count(self) -> int:
        """Return how many there are. May ask over a connection of its own: not for the
        event loop.
        """
        ...
