"""Serve the Model Context Protocol from Django, through every transport.

Nothing here imports Django, so that tools can be written and tested without it.
"""

from __future__ import annotations

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import (
    Catalogue,
    Shelf,
    catalogue,
    prompt,
    resource,
    tool,
)
from mcp_transport.engine.changes import ListChanged, ResourceUpdated
from mcp_transport.engine.context import Context
from mcp_transport.engine.errors import ResourceNotFound, ToolError
from mcp_transport.engine.prompt import Prompt
from mcp_transport.engine.resource import Resource, ResourceTemplate
from mcp_transport.engine.server import Server
from mcp_transport.engine.tool import Tool, ToolResult
from mcp_transport.protocol.content import (
    Audio,
    EmbeddedResource,
    Image,
    ResourceLink,
    Text,
)
from mcp_transport.protocol.questions import Elicit, ElicitUrl, ListRoots, Sample
from mcp_transport.transports.inprocess import connect

__all__ = [
    "Audio",
    "Caller",
    "Catalogue",
    "Context",
    "Elicit",
    "ElicitUrl",
    "EmbeddedResource",
    "Image",
    "ListChanged",
    "ListRoots",
    "Prompt",
    "Resource",
    "ResourceLink",
    "ResourceNotFound",
    "ResourceTemplate",
    "ResourceUpdated",
    "Sample",
    "Server",
    "Shelf",
    "Text",
    "Tool",
    "ToolError",
    "ToolResult",
    "catalogue",
    "connect",
    "prompt",
    "resource",
    "tool",
]
