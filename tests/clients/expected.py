"""What every client must see of the shop, by the revision that it speaks."""

from __future__ import annotations

import copy
from base64 import b64encode
from typing import Any

from tests.clients.shop.logo import LOGO

Json = dict[str, Any]

NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}
# The members that a result has at the newest revision alone.
STATELESS_ONLY = {"_meta", "cacheScope", "resultType", "ttlMs"}


def text(words: str, **members: Any) -> Json:
    return {"content": [{"type": "text", "text": words}], **members}


def tool(name: str, description: str, **arguments: Json) -> Json:
    schema = {**NO_ARGUMENTS, "properties": arguments}
    if arguments:
        schema["required"] = list(arguments)
    return {"name": name, "description": description, "inputSchema": schema}


QUOTE_ITEM = {"type": "string", "enum": ["tea", "cake"]}
QUOTE: Json = {
    "name": "quote",
    "title": "Quote a price",
    "description": "Say what something costs.",
    "inputSchema": {
        **NO_ARGUMENTS,
        "properties": {
            "item": {**QUOTE_ITEM, "description": "what to buy."},
            "count": {
                "type": "integer",
                "minimum": 1,
                "maximum": 12,
                "default": 1,
                "description": "how many, by the piece.",
            },
        },
        "required": ["item"],
    },
    "outputSchema": {
        "type": "object",
        "description": "A price in pence.",
        "properties": {"item": QUOTE_ITEM, "pence": {"type": "integer"}},
        "required": ["item", "pence"],
    },
    "annotations": {
        "readOnlyHint": True,
        "idempotentHint": True,
        "openWorldHint": False,
    },
}
TOOLS = [
    tool("brew", "Brew cup by cup, reporting each.", cups={"type": "integer"}),
    tool("folders", "Name the client's roots."),
    tool("menu", "Show what there is."),
    tool("order", "Ask the user for a name, and order in it."),
    QUOTE,
    tool("refuse", "Fail, and say what to do instead."),
    tool("restock", "Change the stock, and tell those who watch it."),
    tool(
        "slogan",
        "Let the client's model write a slogan.",
        subject={"type": "string", "description": "what to praise."},
    ),
    tool("toggle_counter", "Put a tool on the shelf, or take it off again."),
    tool("whoami", "Name the user of the token."),
]
LINK = {
    "type": "resource_link",
    "uri": "shop://stock",
    "name": "stock",
    "mimeType": "text/plain",
}
BLOB = b64encode(LOGO).decode()
LIST_CHANGED = ["notifications/tools/list_changed", None]

NEWEST: Json = {
    "revision": "2026-07-28",
    "server": {"name": "tea-shop", "title": "The Tea Shop", "version": "1.2.3"},
    "instructions": "Ask for a quote before you order.",
    "tools": TOOLS,
    "resources": [
        {
            "name": "logo",
            "uri": "shop://logo",
            "description": "The sign over the door.",
            "mimeType": "image/png",
        },
        {
            "name": "stock",
            "title": "Stock",
            "uri": "shop://stock",
            "description": "What there is.",
            "mimeType": "text/plain",
        },
    ],
    "templates": [
        {
            "name": "item",
            "uriTemplate": "shop://items/{item}",
            "description": "One item.",
        }
    ],
    "prompts": [
        {
            "name": "letter",
            "description": "Write to a customer.",
            "arguments": [
                {"name": "customer", "description": "the name.", "required": True},
                {
                    "name": "tone",
                    "description": "kind, firm or funny.",
                    "required": False,
                },
            ],
        }
    ],
    "calls": {
        "quote": text(
            '{"item":"cake","pence":750}',
            structuredContent={"item": "cake", "pence": 750},
        ),
        "refuse": text("There is no cake left. Ask for tea.", isError=True),
        "menu": {
            "content": [
                {"type": "text", "text": "Tea and cake"},
                {"type": "image", "data": BLOB, "mimeType": "image/png"},
                LINK,
            ]
        },
        "whoami": text("ada"),
        "order": text("Tea for Ada"),
        "slogan": text("On 'tea': sip."),
        "folders": text("file:///home/ada"),
        "brew": text("3 cups"),
    },
    "stock": {
        "contents": [
            {"uri": "shop://stock", "mimeType": "text/plain", "text": "tea, cake"}
        ]
    },
    "logo": {
        "contents": [{"uri": "shop://logo", "mimeType": "image/png", "blob": BLOB}]
    },
    "item": {
        "contents": [
            {
                "uri": "shop://items/tea",
                "mimeType": "application/json",
                "text": '{"pence":120}',
            }
        ]
    },
    "letter": {
        "description": "Write to a customer.",
        "messages": [
            {
                "role": "user",
                "content": {"type": "text", "text": "Write a kind letter to Ada."},
            }
        ],
    },
    "completion": {
        "completion": {"values": ["firm", "funny"], "total": 2, "hasMore": False}
    },
    "unknown tool": {"code": -32602},
    "unknown resource": {"code": -32602, "data": {"uri": "shop://nothing"}},
    "log": [
        {"level": "info", "logger": "kettle", "data": {"cup": cup}} for cup in (1, 2, 3)
    ],
    "progress": [[cup, 3, f"cup {cup}"] for cup in (1, 2, 3)],
    "changes": [
        ["notifications/resources/updated", "shop://stock"],
        LIST_CHANGED,
        LIST_CHANGED,
    ],
}


def seen_at(revision: str) -> Json:
    """Return what a client sees, taking away what older revisions do not have."""
    seen = copy.deepcopy(NEWEST)
    seen["revision"] = revision
    if revision < "2026-07-28":
        seen["unknown resource"]["code"] = -32002
    if revision < "2025-06-18":
        _without_structure_and_titles(seen)
    if revision < "2025-03-26":
        for listed in seen["tools"]:
            listed.pop("annotations", None)
    return seen


def _without_structure_and_titles(seen: Json) -> None:
    """What 2025-06-18 brought: titles, structured content, links, elicitation."""
    for listed in (seen["server"], *seen["tools"], *seen["resources"]):
        listed.pop("title", None)
        listed.pop("outputSchema", None)
    del seen["calls"]["quote"]["structuredContent"]
    seen["calls"]["menu"]["content"][2] = {
        "type": "text",
        "text": "[stock](shop://stock)",
    }
    seen["calls"]["order"] = text(
        "This has to ask the client, which did not declare the capability "
        "elicitation.form.",
        isError=True,
    )


def without_state(value: Any) -> Any:
    """Return what a client printed, without what only the newest revision adds."""
    if isinstance(value, dict):
        return {
            name: without_state(member)
            for name, member in value.items()
            if name not in STATELESS_ONLY
        }
    if isinstance(value, list):
        return [without_state(item) for item in value]
    return value
