"""The bounds of one server. Times in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``answer_timeout_s`` bounds the wait for a client's answer to a question,
    during which a call's own deadline stands still; ``max_rounds`` bounds how
    often one call may ask, and ``max_in_flight`` how many requests of one
    connection may run at a time. Of one caller ``max_calls`` calls may run at a
    time and ``max_streams`` streams and sockets be open, and of all callers
    ``max_open_streams``; each process counts its own. While ``max_unread_bytes``
    of one call wait for a slow reader, what it reports besides is dropped.
    ``replay_bytes`` bounds what is kept of one stream, so that a client can resume
    it, and ``replay_session_bytes`` what is kept of a session's streams that ended.
    """

    call_timeout_s: float = 60
    answer_timeout_s: float = 600
    max_rounds: int = 10
    page_size: int = 100
    keep_alive_s: float = 15
    stream_age_s: float = 1800
    session_idle_s: float = 1800
    session_age_s: float = 86_400
    max_sessions: int = 50
    replay_events: int = 1000
    replay_bytes: int = 1_048_576
    replay_session_bytes: int = 2_097_152
    replay_age_s: float = 600
    state_age_s: float = 600
    max_body_bytes: int = 1_048_576
    max_unread_bytes: int = 131_072
    max_in_flight: int = 32
    max_calls: int = 16
    max_streams: int = 8
    max_open_streams: int = 10_000
