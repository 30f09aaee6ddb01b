"""Every revision that is served, oldest first. Only here are they named."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import (
    plain,
    v2024_11_05,
    v2025_03_26,
    v2025_06_18,
    v2025_11_25,
    v2026_07_28,
)

REVISIONS: Mapping[str, Revision] = MappingProxyType(
    {
        module.REVISION.name: module.REVISION
        for module in (
            v2024_11_05,
            v2025_03_26,
            v2025_06_18,
            v2025_11_25,
            v2026_07_28,
        )
    }
)

STATEFUL = MappingProxyType({n: r for n, r in REVISIONS.items() if r.stateful})
STATELESS = MappingProxyType({n: r for n, r in REVISIONS.items() if not r.stateful})

LATEST = list(REVISIONS.values())[-1]
LATEST_STATEFUL = list(STATEFUL.values())[-1]

# No revision, and so negotiated by nobody.
PLAIN = plain.REVISION

# What a Streamable HTTP request without a version header speaks.
# Spec: 2025-06-18 basic/transports #protocol-version-header.
UNSTATED = v2025_03_26.REVISION
