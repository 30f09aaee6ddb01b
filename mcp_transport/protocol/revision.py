"""What one protocol revision allows on the wire, as data.

A revision is a table: a method that is not in it does not exist, and a field
that is not in it is not sent. The catalogue is kept in the richest form (that
of 2026-07-28) and ``encode`` takes away what a revision does not know.

Spec: schema of each revision; 2026-07-28 changelog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTENT_BLOCK = "ContentBlock"

# Where one typed object sits inside another: type -> field -> type. A field
# that holds a list of them is treated item by item.
NESTED: Mapping[str, Mapping[str, str]] = {
    "InitializeResult": {
        "serverInfo": "Implementation",
        "capabilities": "ServerCapabilities",
    },
    "DiscoverResult": {"capabilities": "ServerCapabilities"},
    "Implementation": {"icons": "Icon"},
    "ListToolsResult": {"tools": "Tool"},
    "Tool": {"annotations": "ToolAnnotations", "icons": "Icon"},
    "CallToolResult": {"content": CONTENT_BLOCK},
    "ListResourcesResult": {"resources": "Resource"},
    "Resource": {"annotations": "Annotations", "icons": "Icon"},
    "ListResourceTemplatesResult": {"resourceTemplates": "ResourceTemplate"},
    "ResourceTemplate": {"annotations": "Annotations", "icons": "Icon"},
    "ReadResourceResult": {"contents": "ResourceContents"},
    "ListPromptsResult": {"prompts": "Prompt"},
    "Prompt": {"arguments": "PromptArgument", "icons": "Icon"},
    "GetPromptResult": {"messages": "PromptMessage"},
    "PromptMessage": {"content": CONTENT_BLOCK},
    "text": {"annotations": "Annotations"},
    "image": {"annotations": "Annotations"},
    "audio": {"annotations": "Annotations"},
    "resource": {"annotations": "Annotations", "resource": "ResourceContents"},
    "resource_link": {"annotations": "Annotations", "icons": "Icon"},
}

# The result type of each method. A method that is not here answers with an
# empty object.
RESULTS: Mapping[str, str] = {
    "initialize": "InitializeResult",
    "server/discover": "DiscoverResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "completion/complete": "CompleteResult",
}

# What three of them may answer with instead, where the revision has it.
INPUT_REQUIRED = "InputRequiredResult"

Fields = Mapping[str, frozenset[str]]
Block = dict[str, Any]


def fields(**types: str) -> Fields:
    """Build a table of fields from blank-separated names, type by type."""
    return {name: frozenset(names.split()) for name, names in types.items()}


def extended(base: Fields, **types: str) -> Fields:
    """Return ``base`` with more fields; a type that it lacks is added."""
    more = fields(**types)
    return {
        name: base.get(name, frozenset()) | more.get(name, frozenset())
        for name in (*base, *(name for name in more if name not in base))
    }


def unchanged(value: dict[str, Any]) -> dict[str, Any]:
    return value


def as_sent(method: str, result: dict[str, Any]) -> dict[str, Any]:
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Revision:
    """One revision: its methods, its fields and its rules.

    ``asks`` holds the capability paths that the server may ask of a client,
    such as ``("elicitation", "form")``. ``resumable`` tells whether a client
    that lost its connection can come back for the response. ``content`` maps
    each kind of content block that the revision lacks to the function that says
    the same in a kind that it has; ``sampled`` are the kinds that a message for
    sampling may hold. ``statuses`` are the HTTP statuses of dispatched errors; a
    code that is not in it is sent with 200. ``timed_out`` is the status of a call
    that was stopped at its deadline.
    """

    name: str
    stateful: bool
    batching: bool
    requests: frozenset[str]
    notifications: frozenset[str]
    asks: frozenset[tuple[str, ...]]
    fields: Fields
    content: Mapping[str, Callable[[Block], Block]]
    sampled: frozenset[str]
    resource_not_found: int
    default_log_level: str | None
    resumable: bool = True
    primes_streams: bool = False
    object_output_only: bool = True
    mirrors_headers: bool = False
    statuses: Mapping[int, int] = field(default_factory=dict)
    timed_out: int = 200
    elicitation_schema: Callable[[dict[str, Any]], dict[str, Any]] = unchanged
    finish: Callable[[str, dict[str, Any]], dict[str, Any]] = as_sent

    def encode(self, method: str, result: dict[str, Any]) -> dict[str, Any]:
        """Return ``result`` of ``method`` as this revision sends it."""
        kind = INPUT_REQUIRED if "inputRequests" in result else RESULTS.get(method)
        if kind is None:
            kept = {"_meta": result["_meta"]} if "_meta" in result else {}
            return self.finish(method, kept)
        return self.finish(method, self.prune(kind, result))

    def prune(self, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        """Return ``value`` without the fields that ``kind`` lacks here."""
        allowed = self.fields[kind]
        nested = NESTED.get(kind)
        if nested is None:
            return {name: item for name, item in value.items() if name in allowed}
        return {
            name: self._inner(nested[name], item) if name in nested else item
            for name, item in value.items()
            if name in allowed
        }

    def _inner(self, kind: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._inner(kind, item) for item in value]
        if kind is CONTENT_BLOCK:
            return self.block(value)
        return self.prune(kind, value)

    def block(self, block: Block) -> Block:
        """Return one content block, in another kind where its own is unknown."""
        replace = self.content.get(block["type"])
        if replace is not None:
            block = replace(block)
        return self.prune(block["type"], block)
