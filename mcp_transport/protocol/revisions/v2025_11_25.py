"""Revision 2025-11-25: icons, elicitation by URL, polling of SSE streams.

Spec: 2025-11-25 changelog; schema 2025-11-25.
"""

from __future__ import annotations

from dataclasses import replace

from mcp_transport.protocol.revision import extended, unchanged
from mcp_transport.protocol.revisions import v2025_06_18 as before

REVISION = replace(
    before.REVISION,
    name="2025-11-25",
    asks=before.REVISION.asks | {("elicitation", "url"), ("sampling", "tools")},
    fields=extended(
        before.REVISION.fields,
        Implementation="description icons websiteUrl",
        Icon="src mimeType sizes theme",
        Tool="icons",
        Resource="icons",
        ResourceTemplate="icons",
        Prompt="icons",
        resource_link="icons",
        ElicitParams="mode url elicitationId",
    ),
    sampled=before.REVISION.sampled | {"tool_use", "tool_result"},
    primes_streams=True,
    elicitation_schema=unchanged,
)
