"""The plain dialect: bare JSON-RPC by HTTP, without a handshake.

No revision of the protocol, and negotiated by none: a client chooses it by the
header ``X-Session-ID``. It has the catalogue of the latest stateful revision;
the client declares nothing, and so is asked nothing.
"""

from __future__ import annotations

from dataclasses import replace

from mcp_transport.protocol.revisions import v2025_11_25 as base

REVISION = replace(
    base.REVISION,
    name="plain",
    requests=base.REVISION.requests - {"initialize"} | {"batch"},
    notifications=frozenset({"notifications/cancelled"}),
    asks=frozenset(),
    resumable=False,
    primes_streams=False,
    object_output_only=False,
    timed_out=408,
)
