"""Revision 2024-11-05: the first one.

Spec: 2024-11-05 basic/lifecycle, server/*; schema 2024-11-05.
"""

from __future__ import annotations

from mcp_transport.protocol.errors import RESOURCE_NOT_FOUND
from mcp_transport.protocol.revision import Block, Revision, fields


def audio_as_resource(block: Block) -> Block:
    """Say an audio block as an embedded resource, which every revision has."""
    return {
        "type": "resource",
        "resource": {
            "uri": "audio:inline",
            "mimeType": block["mimeType"],
            "blob": block["data"],
        },
    }


def link_as_text(block: Block) -> Block:
    """Say a link to a resource in words that keep its URI."""
    label = block.get("title") or block["name"]
    about = f": {block['description']}" if block.get("description") else ""
    return {"type": "text", "text": f"[{label}]({block['uri']}){about}"}


REVISION = Revision(
    name="2024-11-05",
    stateful=True,
    batching=False,
    requests=frozenset(
        {
            "initialize",
            "ping",
            "tools/list",
            "tools/call",
            "resources/list",
            "resources/templates/list",
            "resources/read",
            "resources/subscribe",
            "resources/unsubscribe",
            "prompts/list",
            "prompts/get",
            "completion/complete",
            "logging/setLevel",
        }
    ),
    notifications=frozenset(
        {
            "notifications/initialized",
            "notifications/cancelled",
            "notifications/progress",
            "notifications/roots/list_changed",
        }
    ),
    asks=frozenset({("sampling",), ("roots",)}),
    fields=fields(
        InitializeResult="protocolVersion capabilities serverInfo instructions _meta",
        Implementation="name version",
        ServerCapabilities="tools resources prompts logging experimental",
        ListToolsResult="tools nextCursor _meta",
        Tool="name description inputSchema",
        CallToolResult="content isError _meta",
        ListResourcesResult="resources nextCursor _meta",
        Resource="uri name description mimeType size annotations",
        ListResourceTemplatesResult="resourceTemplates nextCursor _meta",
        ResourceTemplate="uriTemplate name description mimeType annotations",
        ReadResourceResult="contents _meta",
        ResourceContents="uri mimeType text blob",
        ListPromptsResult="prompts nextCursor _meta",
        Prompt="name description arguments",
        PromptArgument="name description required",
        GetPromptResult="description messages _meta",
        PromptMessage="role content",
        CompleteResult="completion _meta",
        Annotations="audience priority",
        text="type text annotations",
        image="type data mimeType annotations",
        resource="type resource annotations",
        ProgressParams="progressToken progress total",
    ),
    content={"audio": audio_as_resource, "resource_link": link_as_text},
    sampled=frozenset({"text", "image"}),
    resource_not_found=RESOURCE_NOT_FOUND,
    default_log_level="info",
)
