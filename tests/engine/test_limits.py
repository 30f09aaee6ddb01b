from __future__ import annotations

import dataclasses

import pytest

from mcp_transport.engine.limits import Limits


def test_everything_is_bounded_from_the_start() -> None:
    limits = dataclasses.asdict(Limits())
    assert limits == {
        "call_timeout_s": 60,
        "answer_timeout_s": 600,
        "max_rounds": 10,
        "page_size": 100,
        "keep_alive_s": 15,
        "stream_age_s": 1800,
        "session_idle_s": 1800,
        "session_age_s": 86_400,
        "max_sessions": 50,
        "replay_events": 1000,
        "replay_bytes": 1_048_576,
        "replay_session_bytes": 2_097_152,
        "replay_age_s": 600,
        "state_age_s": 600,
        "max_body_bytes": 1_048_576,
        "max_unread_bytes": 131_072,
        "max_in_flight": 32,
        "max_calls": 16,
        "max_streams": 8,
        "max_open_streams": 10_000,
    }


def test_limits_do_not_change_under_a_running_server() -> None:
    limits = Limits(page_size=7)
    assert limits.page_size == 7
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.page_size = 8  # type: ignore[misc]
