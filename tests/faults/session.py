"""A client of a stateful revision, which notes all that it sends and hears."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from deploy.servers import Served
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from tests.faults.cluster import Cluster
from tests.faults.connection import Connection, Lost
from tests.faults.requests import (
    HEADERS,
    Headers,
    Json,
    Refused,
    outcome,
    post,
    request,
)
from tests.faults.stream import AGAIN_AFTER_S, NOT_NOW, Gone, Stream

# How long a client listens behind a response, behind which nothing may come.
LINGER_S = 0.5

_attempts = itertools.count(1)


class Session:
    def __init__(self, cluster: Cluster, id: str) -> None:
        self.id = id
        self._cluster = cluster
        self._journal = cluster.journal
        self._ids = itertools.count(1)

    @classmethod
    async def open(cls, cluster: Cluster) -> Session:
        """Shake hands, as often as it takes."""
        hello = {
            "protocolVersion": LATEST_STATEFUL.name,
            "capabilities": {},
            "clientInfo": {"name": "faults", "version": "1"},
        }
        reply, _ = await _persist(
            cluster, request("initialize", "hello", hello), HEADERS
        )
        session = cls(cluster, reply.headers["mcp-session-id"])
        await session.tell("notifications/initialized", {})
        return session

    @property
    def headers(self) -> Headers:
        version = {"MCP-Protocol-Version": LATEST_STATEFUL.name}
        return {**HEADERS, **version, "Mcp-Session-Id": self.id}

    async def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification until it is accepted."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        await _persist(self._cluster, message, self.headers)

    async def ask(self, method: str, params: Mapping[str, Any]) -> Json:
        """Send a request that may be sent again until there is a result."""
        message = request(method, f"{method}.{next(self._ids)}", params)
        _, body = await _persist(self._cluster, message, self.headers)
        result: Json = json.loads(body)["result"]
        return result

    async def status(self, method: str, body: str = "", last: str = "") -> int:
        """Return the status of any request, ``last`` its Last-Event-ID.

        Raises Lost.
        """
        headers = {**self.headers, **({"Last-Event-ID": last} if last else {})}
        connection, member = Connection(), self._cluster.choose()
        await connection.ask(member.port, method, headers, body.encode())
        connection.abort()
        return connection.status

    async def call(
        self,
        arguments: Mapping[str, Any],
        *,
        id: str | None = None,
        member: Served | None = None,
        cuts: Iterable[int] = (),
    ) -> str:
        """Call the tool ``work``, at ``member`` if given, and come back for the rest
        until it is answered. ``cuts`` are those of Stream.

        Returns how the journal calls the end: result, failed, error, refused,
        broken or gone.
        """
        id = id or f"call.{next(self._ids)}"
        member = member or self._cluster.choose()
        call, pid = f"{self.id}/{id}", member.pid
        attempt = f"{call}#{next(_attempts)}"
        self._journal.write("sent", attempt=attempt, call=call, pid=pid)
        params = {"name": "work", "arguments": {**arguments, "call": call}}
        try:
            reply = await post(member, request("tools/call", id, params), self.headers)
            if reply.status != 200:
                reply.abort()
                self._journal.write("refused", attempt=attempt, status=reply.status)
                return "refused"
            if reply.headers["content-type"] == "application/json":
                body = await reply.whole()
                self._journal.write("accepted", attempt=attempt)
                return self._answered(attempt, json.loads(body))
            self._journal.write("accepted", attempt=attempt)
            stream = Stream(self._cluster, self.headers, reply, member, iter(cuts))
            return await self._followed(stream, attempt, id)
        except Lost:
            self._journal.write("broken", attempt=attempt, pid=pid)
            return "broken"
        except Gone:
            self._journal.write("gone", attempt=attempt)
            return "gone"

    async def _followed(self, stream: Stream, attempt: str, id: str) -> str:
        """Read a stream until the response has come, and a little longer.

        Raises Lost and Gone, before it has come.
        """
        how = ""
        try:
            async with asyncio.timeout(None) as bound, aclosing(stream.messages()) as m:
                async for message in m:
                    if message.get("id") == id:
                        how = self._answered(attempt, message, stream.broke_at)
                        stream.is_complete = True
                        loop = asyncio.get_running_loop()
                        bound.reschedule(loop.time() + LINGER_S)
        except TimeoutError:
            if not bound.expired():
                raise
        return how

    def _answered(
        self, attempt: str, reply: Mapping[str, Any], broke_at: float | None = None
    ) -> str:
        """``broke_at`` is when the last connection broke that it was due on."""
        how = outcome(reply)
        late_s = time.monotonic() - broke_at if broke_at else 0
        self._journal.write("answered", attempt=attempt, how=how, late_s=late_s)
        return how

    async def standing(self) -> AsyncGenerator[Json, None]:
        """Yield what comes on the standing stream.

        Raises Refused, and Gone once it was open.
        """
        connection, member = await self._opened()
        stream = Stream(self._cluster, self.headers, connection, member, iter(()))
        async with aclosing(stream.messages()) as messages:
            async for message in messages:
                yield message

    async def _opened(self) -> tuple[Connection, Served]:
        while True:
            connection, member = Connection(), self._cluster.choose()
            try:
                await connection.ask(member.port, "GET", self.headers)
            except Lost:
                pass
            else:
                if connection.status == 200:
                    return connection, member
                connection.abort()
                if connection.status not in NOT_NOW:
                    raise Refused(connection.status)
            await asyncio.sleep(AGAIN_AFTER_S)


async def _persist(
    cluster: Cluster, message: Json, headers: Headers
) -> tuple[Connection, bytes]:
    """Send a message that may be sent again until it is accepted.

    Raises Refused.
    """
    while True:
        try:
            reply = await post(cluster.choose(), message, headers)
            body = await reply.whole()
        except Lost:
            pass
        else:
            if reply.status in (200, 202):
                return reply, body
            if reply.status not in NOT_NOW:
                raise Refused(reply.status)
        await asyncio.sleep(AGAIN_AFTER_S)
