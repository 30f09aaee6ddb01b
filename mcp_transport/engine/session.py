"""One client of a stateful revision, and where such clients are kept.

Spec: 2025-11-25 basic/lifecycle, basic/transports #session-management.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import Change, ListChanged
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import Id, Response
from mcp_transport.protocol.peer import Peer


class Answers:
    """The answers that tools of one session wait for."""

    __slots__ = ("_expected",)

    def __init__(self) -> None:
        self._expected: dict[Id, asyncio.Future[Response]] = {}

    def expect(self, request_id: Id) -> Awaitable[Response]:
        """Return what will be the answer to a request of ours.

        It is registered at once, so that an answer cannot come too early.
        """
        future = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: self._expected.pop(request_id, None))
        self._expected[request_id] = future
        return future

    def put(self, response: Response) -> bool:
        """Hand over an answer; False when nobody waits for it."""
        if response.id is None:
            return False
        future = self._expected.get(response.id)
        if future is None or future.done():
            return False
        future.set_result(response)
        return True


@dataclass(slots=True, eq=False)
class Session:
    """The state of one client between its requests.

    ``subject`` is the caller that it belongs to: to every other caller it does
    not exist. ``delivered`` is the number of the last event of its standing
    stream that was written to a connection. Times are of the monotonic clock.
    """

    id: str
    subject: str
    peer: Peer | None = None
    phase: Phase = Phase.NEW
    subscriptions: set[str] = field(default_factory=set)
    delivered: int = 0
    created_at: float = 0
    used_at: float = 0
    answers: Answers = field(default_factory=Answers)

    def wants(self, change: Change) -> bool:
        """Tell whether the client is to hear of ``change``."""
        return isinstance(change, ListChanged) or change.uri in self.subscriptions

    @classmethod
    def new(cls, caller: Caller) -> Session:
        """Make a session with an id of 192 random bits, visible ASCII."""
        return cls(secrets.token_urlsafe(24), caller.subject)


class SessionStore(Protocol):
    """Keeps sessions by id. A session that ends takes its streams with it."""

    async def add(self, session: Session) -> None:
        """Keep a new session; at its caller's cap another one makes room."""
        ...

    async def get(self, id: str, subject: str) -> Session | None:
        """Return the session, or None when unknown, expired or another's."""
        ...

    async def save(self, session: Session) -> None:
        """Keep what was changed in ``session``."""
        ...

    async def remove(self, id: str) -> None: ...

    async def all(self) -> Iterable[Session]: ...
