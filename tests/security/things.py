"""What another might be after, and its owner, who has one of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_transport.protocol.revision import Revision
from tests.faults.verdict import require
from tests.interaction.guest import Guest, answer_to, method, text_of
from tests.interaction.wires.plain import PlainWire
from tests.interaction.wires.sse import SSEWire
from tests.interaction.wires.streamable import StreamableWire
from tests.interaction.wires.wire import Wire

Json = dict[str, Any]

# The ids of the owner's running call, and of a request that all others make and
# the owner makes after them.
RUNNING = "running"
VISIT = "visit"
SHARED = "note://shared"
LEVEL = "error"
UPDATED = "notifications/resources/updated"
SAMPLING = ("sampling",)


@dataclass(frozen=True, kw_only=True)
class Things:
    """``session`` is an id, or the name that a client of the plain dialect chose;
    what a door or a revision does not have is empty. ``secret`` is in all that the
    owner is told.
    """

    secret: str
    session: str = ""
    event_id: str = ""
    request: str = RUNNING
    question: str = ""
    cursor: str
    state: str = ""

    @property
    def private(self) -> list[str]:
        """Return what no other may be told."""
        said = [self.secret, self.session, self.event_id, self.question]
        return [thing for thing in (*said, self.cursor, self.state) if thing]


# As if they were somebody's, and nobody's.
UNKNOWN = Things(
    secret="unknown",
    session="A" * 32,
    event_id=f"{'a' * 16}.{'a' * 8}.1",
    request="unknown",
    question="v1.QUFBQUFBQUFB." + "A" * 43,
    cursor="v1.a2VlcA." + "A" * 43,
    state="v1.e30." + "A" * 43,
)


class Owner:
    """A call of hers waits for the file ``until``, and another for her model."""

    def __init__(
        self, wire: Wire, revision: Revision, secret: str, until: Path
    ) -> None:
        self._guest = Guest(wire, revision, sample=self._think)
        self._revision = revision
        self._secret = secret
        self._private = f"note://{secret}"
        self._until = until
        self._thought = asyncio.Event()
        self._asking: asyncio.Task[str] | None = None
        self._open = AsyncExitStack()
        self._cursor = ""

    async def _think(self, params: Json) -> Json:
        await self._thought.wait()
        said = {"type": "text", "text": "I see."}
        return {"role": "assistant", "model": "m", "content": said}

    # What she does before others come.

    async def begin(self) -> Things:
        guest = self._guest
        await guest.start()
        await guest.set_log_level(LEVEL)
        await self._listen([SHARED, self._private])
        running = self._call("keep", secret=self._secret, until=str(self._until))
        batch = [running, guest.message("beside", "ping")]
        await guest.says(batch if self._revision.batching else running)
        await guest.hears(method("notifications/message"))
        self._cursor = (await guest.request("tools/list"))["nextCursor"]
        asked = await self._ask() if SAMPLING in self._revision.asks else {}
        return Things(
            secret=self._secret,
            session=_session(guest.wire),
            event_id=_event_id(guest.wire),
            cursor=self._cursor,
            **asked,
        )

    def _call(self, tool: str, **arguments: str) -> Json:
        meta = {"progressToken": RUNNING}
        params = {"name": tool, "arguments": arguments, "_meta": meta}
        return self._guest.message(RUNNING, "tools/call", params)

    async def _listen(self, uris: Sequence[str]) -> None:
        if "resources/subscribe" in self._revision.requests:
            for uri in uris:
                await self._guest.subscribe(uri)
            return
        listening = self._guest.listen(resourceSubscriptions=list(uris))
        told = await self._open.enter_async_context(listening)
        await told.get()

    async def _ask(self) -> dict[str, str]:
        """Let a tool ask her; return by what she could answer."""
        asking = self._guest.text("ask", secret=self._secret)
        self._asking = asyncio.create_task(asking)
        if self._revision.stateful:
            (asked,) = await self._guest.hears(method("sampling/createMessage"))
            return {"question": asked["id"]}
        (asked,) = await self._guest.hears(
            lambda message: "requestState" in message.get("result", {})
        )
        return {"state": asked["result"]["requestState"]}

    # What she finds after they have come.

    async def finds_all(self) -> None:
        """Raises Failed for anything of hers that is not as she left it."""
        guest = self._guest
        await asyncio.to_thread(self._until.touch)
        (kept,) = await guest.hears(answer_to(RUNNING))
        require(text_of(kept["result"]) == self._secret, f"her call ended as {kept}")
        if self._asking is not None:
            require(not self._asking.done(), "her question was answered")
            self._thought.set()
            answered = await self._asking
            require(answered.endswith("I see."), f"her question: {answered}")
        levels = {said["level"] for said in guest.told("notifications/message")}
        require(levels == {LEVEL}, f"her log level is not {LEVEL}: {levels}")
        if self._revision.stateful:
            await guest.says(guest.call(VISIT, "tell"))
            (told,) = await guest.hears(answer_to(VISIT))
            require("result" in told, f"the id of her request was used: {told}")
        await self.finds_streams()

    async def finds_streams(self) -> None:
        """Raises Failed if her session, her subscriptions or her cursor is gone."""
        await self._guest.request("tools/list", {"cursor": self._cursor})
        before = len(self._guest.told(UPDATED))
        for uri in (SHARED, self._private):
            await self._guest.call_tool("touch", {"uri": uri})
        await self._guest.hears(method(UPDATED), before + 2)
        told = [said["uri"] for said in self._guest.told(UPDATED)[before:]]
        require(set(told) == {SHARED, self._private}, f"she was told of {told}")

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._open.aclose()
        await self._guest.close()


def _session(wire: Wire) -> str:
    if isinstance(wire, StreamableWire):
        return wire.session or ""
    if isinstance(wire, SSEWire):
        path: str = wire.endpoint.result()
        return path.partition("sessionId=")[2]
    return wire.name if isinstance(wire, PlainWire) else ""


def _event_id(wire: Wire) -> str:
    """Return a place on the stream of her call, or of her session."""
    if isinstance(wire, StreamableWire):
        (stream,) = [one for one in wire.streams if RUNNING in (one.awaited or ())]
        return stream.last_event_id
    return wire.own.last_event_id if isinstance(wire, PlainWire) else ""
