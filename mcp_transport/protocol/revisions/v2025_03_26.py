"""Revision 2025-03-26: Streamable HTTP, batches, tool annotations, audio.

Spec: 2025-03-26 changelog; schema 2025-03-26.
"""

from __future__ import annotations

from dataclasses import replace

from mcp_transport.protocol.revision import extended
from mcp_transport.protocol.revisions import v2024_11_05 as before

REVISION = replace(
    before.REVISION,
    name="2025-03-26",
    batching=True,
    fields=extended(
        before.REVISION.fields,
        ServerCapabilities="completions",
        Tool="annotations",
        ToolAnnotations=(
            "title readOnlyHint destructiveHint idempotentHint openWorldHint"
        ),
        audio="type data mimeType annotations",
        ProgressParams="message",
    ),
    sampled=before.REVISION.sampled | {"audio"},
    content={"resource_link": before.link_as_text},
)
