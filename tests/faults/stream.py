"""One stream of a session, read over any number of connections."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator

from deploy.servers import Served
from tests.faults.cluster import Cluster
from tests.faults.connection import Connection, Lost, ServerSent, events
from tests.faults.requests import Headers, Json, Refused

AGAIN_AFTER_S = 0.05
# How long a client tries to come back before that is a failure.
PATIENCE_S = 120
# Not now: a connection that broke still holds the stream, or Redis is away.
NOT_NOW = (409, 503)


class Gone(Exception):
    """The server does not have the stream any more, and says so."""


class Stream:
    """What comes on ``connection`` from ``member``, and on those that follow it: it
    comes back to another process whenever one ends.

    ``cuts`` are after how many bytes to break a connection off ourselves. The first
    is counted from behind the first event, without whose id nobody could come
    back; the others from the first byte of the head.
    """

    def __init__(
        self,
        cluster: Cluster,
        headers: Headers,
        connection: Connection,
        member: Served,
        cuts: Iterator[int],
    ) -> None:
        # Whoever has all that was to come sets it: then the end is the end.
        self.is_complete = False
        self.broke_at: float | None = None
        self._cluster = cluster
        self._headers = headers
        self._connection = connection
        self._member = member
        self._cuts = cuts
        self._last = ""

    async def messages(self) -> AsyncGenerator[Json, None]:
        """Yield each message, and note each event.

        Raises Lost if there is nothing to come back behind, and Gone.
        """
        try:
            while True:
                try:
                    async for event in events(self._connection):
                        self._note(event)
                        if event.data:
                            yield json.loads(event.data)
                except Lost:
                    self.broke_at = time.monotonic()
                    self._note_cut(self._connection)
                    if not self._last:
                        raise
                if self.is_complete:
                    return
                await self._come_back()
        finally:
            self._connection.abort()

    def _note(self, event: ServerSent) -> None:
        if not event.id:
            return
        if not self._last:
            self._plan_cut(self._connection)
        self._last = event.id
        if event.data:
            stream, _, number = event.id.rpartition(".")
            params = json.loads(event.data).get("params", {})
            said = params.get("data", {})
            self._cluster.journal.write(
                "event",
                stream=f"{self._headers['Mcp-Session-Id']}/{stream}",
                number=int(number),
                said=said.get("number"),
                said_at=said.get("at"),
                uri=params.get("uri"),
            )

    def _plan_cut(self, connection: Connection) -> None:
        cut_after = next(self._cuts, None)
        if cut_after is not None:
            connection.cut_after(cut_after)

    def _note_cut(self, connection: Connection) -> None:
        if connection.was_cut:
            self._cluster.journal.write("cut", behind=self._last)

    async def _come_back(self) -> None:
        """Go on behind the last event. Raises Gone."""
        headers = {**self._headers, "Last-Event-ID": self._last}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                member, connection = self._cluster.choose(self._member), Connection()
                self._plan_cut(connection)
                try:
                    await connection.ask(member.port, "GET", headers)
                    if connection.status == 200:
                        self._cluster.journal.write("back", behind=self._last)
                        self._connection, self._member = connection, member
                        return
                    await connection.whole()
                except Lost:
                    self._note_cut(connection)
                if connection.status == 404:
                    raise Gone
                if connection.status not in (0, *NOT_NOW):
                    raise Refused(connection.status)
                await asyncio.sleep(AGAIN_AFTER_S)
