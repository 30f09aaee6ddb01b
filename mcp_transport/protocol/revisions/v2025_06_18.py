"""Revision 2025-06-18: elicitation, structured output, links; no batches.

Spec: 2025-06-18 changelog; schema 2025-06-18.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcp_transport.protocol.revision import extended
from mcp_transport.protocol.revisions import v2025_03_26 as before


def named_enums(schema: dict[str, Any]) -> dict[str, Any]:
    """Say titled choices as ``enum`` and ``enumNames``, all that this one has, and
    leave out the defaults that only a boolean may have here.

    Raises ValueError for a choice of several values, which it cannot ask.
    Spec: 2025-06-18 client/elicitation #supported-schema-types.
    """
    properties = {
        name: _named_enum(name, of) for name, of in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _named_enum(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "array":
        raise ValueError(f"it cannot ask for several values at once ({name!r})")
    if schema.get("type") == "boolean":
        return schema
    rest = {k: v for k, v in schema.items() if k not in ("oneOf", "default")}
    if "oneOf" not in schema:
        return rest
    choices = schema["oneOf"]
    rest["enum"] = [choice["const"] for choice in choices]
    rest["enumNames"] = [choice.get("title", choice["const"]) for choice in choices]
    return rest


REVISION = replace(
    before.REVISION,
    name="2025-06-18",
    batching=False,
    asks=before.REVISION.asks | {("elicitation", "form")},
    fields=extended(
        before.REVISION.fields,
        Implementation="title",
        Tool="title outputSchema _meta",
        CallToolResult="structuredContent",
        Resource="title _meta",
        ResourceTemplate="title _meta",
        ResourceContents="_meta",
        Prompt="title _meta",
        PromptArgument="title",
        Annotations="lastModified",
        text="_meta",
        image="_meta",
        audio="_meta",
        resource="_meta",
        resource_link=(
            "type uri name title description mimeType size annotations _meta"
        ),
        ElicitParams="message requestedSchema",
    ),
    content={},
    elicitation_schema=named_enums,
)
