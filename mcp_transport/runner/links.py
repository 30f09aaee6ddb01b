"""Every connection of the process, and who may open one more."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_transport.runner.channel import Channel
    from mcp_transport.runner.websocket import WebSocket

# From one address so many connections may be waited for that have not sent the
# whole head of a request yet. One more costs the oldest of them its place, unless
# that came just now: many clients may share an address, and all be honest.
STRANGERS = 20
NEW_S = 1.0
# For how long a connection stays that is between two requests.
IDLE_S = 60.0
# And for how long when the process is about to end. It may still be used once,
# which closes it: a proxy that has just chosen it for a request loses nothing.
LAST_IDLE_S = 2.0
SWEEP_S = 1.0
LAST_SWEEP_S = 0.1


class Links:
    """``channels`` speak HTTP, ``sockets`` WebSocket; at most ``most`` together."""

    def __init__(self, most: int) -> None:
        self.channels: set[Channel] = set()
        self.sockets: set[WebSocket] = set()
        self.idle_s = IDLE_S
        self._most = most
        self._strangers: defaultdict[str, dict[Channel, float]] = defaultdict(dict)
        self._sweep_s = SWEEP_S

    def __len__(self) -> int:
        return len(self.channels) + len(self.sockets)

    @property
    def full(self) -> bool:
        return len(self) >= self._most

    def opened(self, channel: Channel) -> None:
        self.channels.add(channel)
        if channel.address is None:
            return
        now = monotonic()
        strangers = self._strangers[channel.address]
        strangers[channel] = now
        if len(strangers) > STRANGERS:
            oldest, since = next(iter(strangers.items()))
            if now - since > NEW_S:
                del strangers[oldest]
                oldest.transport.abortConnection()

    def known(self, channel: Channel) -> None:
        """A whole head has come: it is a stranger no more."""
        if channel.address is None:
            return
        strangers = self._strangers.get(channel.address)
        if strangers is not None:
            strangers.pop(channel, None)
            if not strangers:
                del self._strangers[channel.address]

    def closed(self, channel: Channel) -> None:
        self.known(channel)
        self.channels.discard(channel)

    def upgraded(self, channel: Channel, socket: WebSocket) -> None:
        self.sockets.add(socket)
        self.channels.discard(channel)

    def hung_up(self, socket: WebSocket) -> None:
        self.sockets.discard(socket)

    async def sweep(self) -> None:
        """End what waits for longer than it may, for ever."""
        while True:
            now = monotonic()
            for channel in [c for c in self.channels if c.deadline < now]:
                channel.expired()
            await asyncio.sleep(self._sweep_s)

    def hasten(self) -> None:
        """Let idle connections go soon."""
        self.idle_s = LAST_IDLE_S
        self._sweep_s = LAST_SWEEP_S
        for channel in self.channels:
            channel.hasten()

    def abort(self) -> None:
        """Cut every connection."""
        for channel in list(self.channels):
            channel.transport.abortConnection()
        for socket in list(self.sockets):
            socket.transport.abortConnection()
