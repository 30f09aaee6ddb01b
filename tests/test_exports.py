"""The names that a user may rely on: none comes or goes by accident."""

from __future__ import annotations

import mcp_transport

PUBLIC = [
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


def test_the_public_names_are_these() -> None:
    assert mcp_transport.__all__ == PUBLIC


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    for name in PUBLIC:
        public = getattr(mcp_transport, name)
        if name != "catalogue":
            assert public.__doc__, name


def test_how_a_question_travels_is_nobodys_business() -> None:
    assert not hasattr(mcp_transport, "InputRequired")
