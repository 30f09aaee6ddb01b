"""Sessions, streams and signals in Redis, shared by any number of processes.

Every change is one Lua script that may be run again: whatever breaks between us
and Redis, the script is sent until its reply came. What must arrive is kept in
Redis and looked for once a second; the channel layer only carries the hint that
it is time to look at once.

One Redis server, or one with replicas behind a single address: scripts make the
names of their keys themselves, which Redis Cluster does not allow.
"""

from __future__ import annotations

from mcp_transport.engine.limits import Limits
from mcp_transport.stores.redis.connection import Commands, Place
from mcp_transport.stores.redis.events import RedisEvents
from mcp_transport.stores.redis.hints import Hints
from mcp_transport.stores.redis.presence import RedisPresence
from mcp_transport.stores.redis.pulse import Pulse
from mcp_transport.stores.redis.sessions import RedisSessions
from mcp_transport.stores.redis.signals import RedisSignals


class RedisStore:
    """A Store of one process among others. ``url`` is that of a Redis server; its
    parameter ``prefix`` keeps projects apart that share one (default: mcp).

    It belongs to the event loop that first uses it.
    """

    def __init__(self, url: str, limits: Limits) -> None:
        self.place = Place.of(url)
        self.commands = Commands(self.place)
        self.hints = Hints(self.place)
        kept_ms = int(limits.session_idle_s * 1000)
        self.pulse = Pulse(self.commands, self.hints, kept_ms)
        self.sessions = RedisSessions(self.commands, self.pulse, limits)
        self.events = RedisEvents(self.commands, self.pulse, limits)
        self.signals = RedisSignals(self.commands, self.pulse, limits)
        self.presence = RedisPresence(self.commands, self.pulse, self.signals, limits)

    async def close(self) -> None:
        """Let go of everything; another event loop may use the store then."""
        await self.presence.close()
        await self.signals.close()
        await self.pulse.close()
        await self.hints.close()
        await self.commands.close()


__all__ = ["RedisStore"]
