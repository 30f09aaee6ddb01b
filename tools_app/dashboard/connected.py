"""Who is connected at the moment, as the page shows it: by door, with names."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from django.utils.translation import gettext

from mcp_transport import presence
from mcp_transport.presence import Census, SeenSession, SeenStream, StoreUnavailable
from tools_app.dashboard.charts import share
from tools_app.dashboard.wording import age, number
from tools_app.models import Token

MOST = 200

Shown = TypeVar("Shown", SeenSession, SeenStream)


@dataclass(frozen=True, slots=True)
class Connected:
    """One session, stream or socket; ``token`` is None where it has none that we
    know. ``streams`` is how many a session has open.
    """

    seen: SeenSession | SeenStream
    client: str
    revision: str
    token: Token | None
    began: str
    used: str
    streams: int = 0


@dataclass(frozen=True, slots=True)
class Door:
    """How many sessions and streams a door has; the widths are shares of a hundred."""

    name: str
    sessions: str
    streams: str
    sessions_width: str
    streams_width: str


def connected() -> dict[str, Any]:
    """Return the context of what is connected. One query, for the tokens."""
    try:
        sessions, streams = async_to_sync(_seen)()
    except StoreUnavailable:
        return {"unavailable": True}
    used = {one.token_id for one in sessions.seen}
    tokens = _tokens(used.union(one.token_id for one in streams.seen))
    known = {session.handle: session for session in sessions.seen}
    opened = Counter(stream.session for stream in streams.seen)
    now = time.time()
    return {
        "doors": _doors(sessions.seen, streams.seen),
        "sessions": [
            _connected(one, tokens, now, known, opened[one.handle])
            for one in _newest_first(sessions.seen)
        ],
        # Those of a session end with it; to end one alone means nothing: the client
        # opens it again.
        "streams": [
            _connected(one, tokens, now, known)
            for one in _newest_first(streams.seen)
            if one.session not in known
        ],
        "total_sessions": number(sessions.total),
        "total_streams": number(streams.total),
        "hidden": _hidden(sessions, streams),
    }


def _newest_first(seen: Sequence[Shown]) -> list[Shown]:
    """Return them in an order that using them does not change."""
    return sorted(seen, key=lambda one: one.began_at, reverse=True)


async def _seen() -> tuple[Census[SeenSession], Census[SeenStream]]:
    return await presence.sessions(MOST), await presence.streams(MOST)


def _tokens(public_ids: Collection[str]) -> Mapping[str, Token]:
    found = Token.objects.filter(public_id__in=public_ids).select_related("owner")
    return {token.public_id: token for token in found}


def _connected(
    seen: SeenSession | SeenStream,
    tokens: Mapping[str, Token],
    now: float,
    known: Mapping[str, SeenSession],
    streams: int = 0,
) -> Connected:
    # The oldest transport opens its stream before the client says who it is.
    session = known.get(seen.session) if isinstance(seen, SeenStream) else None
    said = session if session is not None and not seen.client else seen
    return Connected(
        seen=seen,
        client=said.client,
        revision=said.revision,
        token=tokens.get(seen.token_id),
        began=age(now - seen.began_at),
        used=age(now - seen.used_at),
        streams=streams,
    )


def _doors(
    sessions: Sequence[SeenSession], streams: Sequence[SeenStream]
) -> list[Door]:
    """Return the doors that anything is open at, by name."""
    held = Counter(one.door for one in sessions)
    opened = Counter(one.door for one in streams)
    most = max([*held.values(), *opened.values()], default=0)
    return [
        Door(
            name=door or gettext("unknown"),
            sessions=number(held[door]),
            streams=number(opened[door]),
            sessions_width=share(held[door], most),
            streams_width=share(opened[door], most),
        )
        for door in sorted({*held, *opened})
    ]


def _hidden(sessions: Census[SeenSession], streams: Census[SeenStream]) -> bool:
    """Tell whether there is more than is shown."""
    return sessions.total > len(sessions.seen) or streams.total > len(streams.seen)
