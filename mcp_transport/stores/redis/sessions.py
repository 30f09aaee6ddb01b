"""Sessions in Redis: a hash each, and what is found by them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_transport.engine.eventlog import STANDING
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.session import Claimed, Session
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import Id, dumps, loads
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revisions import PLAIN, REVISIONS
from mcp_transport.stores.redis.connection import PATIENCE_S, Commands
from mcp_transport.stores.redis.pulse import Pulse

# How many ids of requests a session remembers.
MAX_CLAIMS = 1000

Fields = Mapping[str, bytes]


@dataclass(slots=True, eq=False)
class KeptSession(Session):
    """A session as this request found it, and what it was then."""

    kept: Fields = field(default_factory=dict)
    kept_subscriptions: frozenset[str] = frozenset()


class RedisSessions:
    """A SessionStore."""

    def __init__(self, commands: Commands, pulse: Pulse, limits: Limits) -> None:
        self._commands = commands
        self._pulse = pulse
        self._limits = limits
        self._idle_ms = int(limits.session_idle_s * 1000)
        self._age_ms = int(limits.session_age_s * 1000)

    async def add(self, session: Session) -> None:
        await self._pulse.start()
        await self._commands.run(
            "add",
            session.id,
            session.subject,
            self._limits.max_sessions,
            self._idle_ms,
            *_flat(_fields(session)),
            *_flat(_origin(session)),
            patience_s=PATIENCE_S,
        )

    async def get(
        self, id: str, subject: str, claims: Collection[Id] = ()
    ) -> Session | None:
        await self._pulse.start()
        if ":" in id:
            # A client's word, which may be the name of a part of some session.
            return None
        found = await self._commands.run(
            "get",
            id,
            subject,
            self._idle_ms,
            self._age_ms,
            STANDING,
            MAX_CLAIMS,
            secrets.token_hex(8) if claims else "",
            *(dumps(request_id) for request_id in claims),
            patience_s=PATIENCE_S,
        )
        if found is None:
            return None
        if isinstance(found, int):
            raise Claimed(list(claims)[found - 1])
        flat, subscriptions = found
        return _session(id, subject, flat, subscriptions)

    async def save(self, session: Session) -> None:
        fields, subscriptions = _fields(session), session.subscriptions
        if isinstance(session, KeptSession):
            kept = session.kept
            fields = {
                key: value for key, value in fields.items() if value != kept.get(key)
            }
            added = subscriptions - session.kept_subscriptions
            ended = session.kept_subscriptions - subscriptions
        else:
            added, ended = subscriptions, frozenset()
        if not fields and not added and not ended:
            return
        changed = _flat(fields)
        await self._commands.run(
            "save",
            session.id,
            self._idle_ms,
            len(changed),
            len(added),
            *changed,
            *added,
            *ended,
            patience_s=PATIENCE_S,
        )

    async def remove(self, id: str) -> None:
        await self._pulse.start()
        await self._commands.run("remove", id, patience_s=PATIENCE_S)
        # Their readers may be anywhere.
        self._pulse.soon()

    def count(self) -> int:
        found: int = self._commands.run_blocking("count", self._idle_ms)
        return found


def _fields(session: Session) -> dict[str, bytes]:
    peer = session.peer
    return {
        "phase": session.phase.value.encode(),
        "revision": b"" if peer is None else peer.revision.name.encode(),
        "capabilities": b"{}" if peer is None else dumps(peer.capabilities),
        "info": b"null" if peer is None else dumps(peer.info),
        "log_level": b"null" if peer is None else dumps(peer.log_level),
        "client": b"" if peer is None else peer.client.encode(),
    }


def _origin(session: Session) -> dict[str, bytes]:
    """What does not change any more."""
    return {"door": session.door.encode(), "token": session.token_id.encode()}


def _flat(fields: Fields) -> list[str | bytes]:
    return [part for pair in fields.items() for part in pair]


def _session(
    id: str, subject: str, flat: list[bytes], subscriptions: list[bytes]
) -> Session:
    fields = dict(zip((key.decode() for key in flat[::2]), flat[1::2], strict=True))
    subscribed = {uri.decode() for uri in subscriptions}
    return KeptSession(
        id,
        subject,
        _peer(fields),
        Phase(fields["phase"].decode()),
        subscribed,
        fields.get("door", b"").decode(),
        fields.get("token", b"").decode(),
        kept=fields,
        kept_subscriptions=frozenset(subscribed),
    )


def _peer(fields: Fields) -> Peer | None:
    name = fields["revision"].decode()
    if not name:
        return None
    revision = PLAIN if name == PLAIN.name else REVISIONS[name]
    capabilities, info, level = (
        _read(fields[key]) for key in ("capabilities", "info", "log_level")
    )
    return Peer(revision, capabilities, info, level)


def _read(data: bytes) -> Any:
    return None if data == b"null" else loads(data)
