"""Which trace a request belongs to.

Spec: W3C Trace Context, level 1 #traceparent-header; 2026-07-28 basic/index
#request-metadata, where the same text travels in ``_meta``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KEY = "traceparent"
STATE_KEY = "tracestate"
# What W3C Trace Context section 3.3.1.5 asks everybody to hand on.
MAX_STATE_CHARS = 512
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


def traceparent(
    params: Mapping[str, Any], headers: Mapping[str, str] | None
) -> str | None:
    """Return what the request says of its trace: in ``_meta``, else in a header.

    What is malformed says nothing.
    """
    meta = params.get("_meta")
    said = meta.get(KEY) if type(meta) is dict else None
    for value in (said, (headers or {}).get(KEY)):
        if type(value) is str and _TRACEPARENT.fullmatch(value):
            return value
    return None


def carrier(
    params: Mapping[str, Any], headers: Mapping[str, str] | None
) -> dict[str, str]:
    """Return ``traceparent``, and the ``tracestate`` from the same place, as the
    headers that a propagator reads; nothing where the request is of no trace.
    """
    parent = traceparent(params, headers)
    if parent is None:
        return {}
    meta = params.get("_meta")
    inside = type(meta) is dict and meta.get(KEY) == parent
    state = (meta if inside else headers or {}).get(STATE_KEY)  # type: ignore[union-attr]
    if type(state) is not str or len(state) > MAX_STATE_CHARS:
        return {KEY: parent}
    return {KEY: parent, STATE_KEY: state}


def trace_id(parent: str) -> str:
    """Return the trace's id of a traceparent: 32 hexadecimal digits."""
    return parent[3:35]
