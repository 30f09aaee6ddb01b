"""Limits that are each in bounds, and contradict each other."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from mcp_transport.conf import read_settings

# What must be at most the second, and what would happen otherwise.
AT_MOST = (
    ("session_idle_s", "session_age_s", "a session would be over before it is idle"),
    ("stream_age_s", "session_age_s", "a stream would outlive its session"),
    ("answer_timeout_s", "session_age_s", "a question would outlive its session"),
    ("max_streams", "max_open_streams", "one caller could take all streams"),
)
# What must be less.
LESS = (
    ("keep_alive_s", "stream_age_s", "a stream would end before its first comment"),
)


def check_limits(**_: Any) -> list[CheckMessage]:
    limits = read_settings()[0].limits
    found = [
        (small, large, "must be at most", harm)
        for small, large, harm in AT_MOST
        if getattr(limits, small) > getattr(limits, large)
    ] + [
        (small, large, "must be less than", harm)
        for small, large, harm in LESS
        if getattr(limits, small) >= getattr(limits, large)
    ]
    return [
        Error(
            f'MCP["{small.upper()}"], {getattr(limits, small)}, {must} '
            f'MCP["{large.upper()}"], {getattr(limits, large)}: {harm}.',
            hint=f"Lower {small.upper()} or raise {large.upper()}.",
            id="mcp_transport.E007",
        )
        for small, large, must, harm in found
    ]
