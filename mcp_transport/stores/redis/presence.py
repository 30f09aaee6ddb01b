"""Who is connected, by Redis: sessions are there anyway, and each process shows
what is open in it for as long as anything is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from mcp_transport.engine.limits import Limits
from mcp_transport.engine.presence import (
    Census,
    SeenSession,
    SeenStream,
    Streams,
    session_handle,
)
from mcp_transport.engine.signals import Announced, Dismissed, Ended, Signal
from mcp_transport.protocol.messages import dumps, loads
from mcp_transport.stores.redis.connection import Commands
from mcp_transport.stores.redis.hints import EVERYBODY
from mcp_transport.stores.redis.pulse import Pulse
from mcp_transport.stores.redis.signals import RedisSignals

# However much changes, it is shown once in this time; and again in the other, if
# nothing does.
AT_MOST_EVERY_S = 1.0
AT_LEAST_EVERY_S = 5.0
# A process that says no more has died, or cannot reach Redis.
BELIEVED_MS = 15_000
# Of one process. What is shown is written and read as a whole.
MOST_SHOWN = 200


class RedisPresence:
    """Presence of any number of processes.

    Whoever looks, or ends something, need not be one of them: that goes by
    connections of its own, on threads, whatever the event loop.
    """

    def __init__(
        self, commands: Commands, pulse: Pulse, signals: RedisSignals, limits: Limits
    ) -> None:
        self._commands = commands
        self._pulse = pulse
        self._signals = signals
        self._limits = limits
        self._streams: Streams | None = None
        self._dirty = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None

    def watch(self, streams: Streams) -> None:
        self._streams = streams
        self._signals.listen(self._heard)

    def _heard(self, signal: Signal | Announced) -> None:
        if isinstance(signal, Dismissed) and self._streams is not None:
            self._streams.dismiss(signal.handle)

    def changed(self) -> None:
        if self._streams is None:
            return
        if self._showing is None or self._showing.done():
            # Whoever is asked to end a stream has to hear of it.
            self._pulse.begin()
            self._dirty = asyncio.Event()
            self._showing = asyncio.create_task(self._show(self._streams))
        self._dirty.set()

    async def _show(self, streams: Streams) -> None:
        """Show what is open until nothing is."""
        while True:
            self._dirty.clear()
            census = streams.census(MOST_SHOWN)
            said = _encode(census) if census.total else b""
            await self._commands.run(
                "open", self._pulse.process, said, BELIEVED_MS, patience_s=None
            )
            if not said and not self._dirty.is_set():
                return
            await asyncio.sleep(AT_MOST_EVERY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(AT_LEAST_EVERY_S - AT_MOST_EVERY_S):
                    await self._dirty.wait()

    async def sessions(self, most: int) -> Census[SeenSession]:
        idle_ms, age_ms = self._limits.session_idle_s, self._limits.session_age_s
        total, found = await asyncio.to_thread(
            self._commands.run_blocking,
            "seen",
            most,
            int(idle_ms * 1000),
            int(age_ms * 1000),
        )
        return Census(tuple(_session(*one) for one in found), total)

    async def streams(self, most: int) -> Census[SeenStream]:
        shown = await asyncio.to_thread(self._commands.run_blocking, "opened")
        censuses = [_decode(said) for said in shown]
        seen = [stream for census in censuses for stream in census.seen]
        seen.sort(key=lambda stream: stream.used_at, reverse=True)
        return Census(tuple(seen[:most]), sum(census.total for census in censuses))

    async def end_session(self, handle: str) -> bool:
        return await self._told(self._end_session, handle)

    async def end_stream(self, handle: str) -> bool:
        return await self._told(self._end_stream, handle)

    async def _told(self, end: Callable[[str], bool], handle: str) -> bool:
        ended = await asyncio.to_thread(end, handle)
        if ended and self._pulse.loop is asyncio.get_running_loop():
            self._pulse.hint_everybody(EVERYBODY)
        return ended

    def _end_session(self, handle: str) -> bool:
        ids: list[bytes] = self._commands.run_blocking("index", "sessions")
        for id in (one.decode() for one in ids):
            if session_handle(id) == handle:
                self._commands.run_blocking("remove", id)
                self._signals.send_blocking(Ended(id))
                return True
        return False

    def _end_stream(self, handle: str) -> bool:
        shown: list[bytes] = self._commands.run_blocking("opened")
        if not any(
            stream.handle == handle for said in shown for stream in _decode(said).seen
        ):
            return False
        self._signals.send_blocking(Dismissed(handle))
        return True

    async def close(self) -> None:
        showing, self._showing = self._showing, None
        if showing is not None:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)


def _encode(census: Census[SeenStream]) -> bytes:
    return dumps([census.total, [asdict(stream) for stream in census.seen]])


def _decode(said: bytes) -> Census[SeenStream]:
    total, seen = loads(said)
    return Census(tuple(SeenStream(**stream) for stream in seen), total)


def _session(id: bytes, used_ms: bytes, began_ms: bytes, *parts: bytes) -> SeenSession:
    subject, door, token_id, client, revision = (part.decode() for part in parts)
    return SeenSession(
        handle=session_handle(id.decode()),
        subject=subject,
        token_id=token_id,
        door=door,
        client=client,
        revision=revision,
        began_at=float(began_ms) / 1000,
        used_at=float(used_ms) / 1000,
    )
