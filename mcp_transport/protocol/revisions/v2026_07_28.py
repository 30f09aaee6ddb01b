"""Revision 2026-07-28: no handshake, no session; every request says it all.

Spec: 2026-07-28 changelog; schema 2026-07-28.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcp_transport.protocol.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_CLIENT_CAPABILITY,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from mcp_transport.protocol.revision import extended
from mcp_transport.protocol.revisions import v2025_11_25 as before

# Results that a client may cache. Spec: 2026-07-28 server/utilities/caching.
CACHEABLE = frozenset(
    {
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
    }
)


def finish(method: str, result: dict[str, Any]) -> dict[str, Any]:
    """Add what every result carries: its type and, where due, cache hints.

    Nothing may be cached or shared unless the catalogue said so.
    Spec: 2026-07-28 basic/index #result-type; server/utilities/caching.
    """
    result.setdefault("resultType", "complete")
    if method in CACHEABLE and result["resultType"] == "complete":
        result.setdefault("ttlMs", 0)
        result.setdefault("cacheScope", "private")
    return result


REVISION = replace(
    before.REVISION,
    name="2026-07-28",
    stateful=False,
    resumable=False,
    requests=before.REVISION.requests
    - {
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
    }
    | {"server/discover", "subscriptions/listen"},
    notifications=frozenset({"notifications/cancelled"}),
    fields={
        **extended(
            before.REVISION.fields,
            ServerCapabilities="extensions",
            DiscoverResult=(
                "supportedVersions capabilities instructions ttlMs cacheScope _meta"
            ),
            InputRequiredResult="resultType inputRequests requestState _meta",
            ListToolsResult="ttlMs cacheScope",
            ListResourcesResult="ttlMs cacheScope",
            ListResourceTemplatesResult="ttlMs cacheScope",
            ListPromptsResult="ttlMs cacheScope",
            ReadResourceResult="ttlMs cacheScope",
        ),
        "ElicitParams": before.REVISION.fields["ElicitParams"] - {"elicitationId"},
    },
    resource_not_found=INVALID_PARAMS,
    default_log_level=None,
    primes_streams=False,
    object_output_only=False,
    mirrors_headers=True,
    statuses={
        METHOD_NOT_FOUND: 404,
        HEADER_MISMATCH: 400,
        MISSING_CLIENT_CAPABILITY: 400,
        UNSUPPORTED_PROTOCOL_VERSION: 400,
    },
    finish=finish,
)
