"""What the schema tests ask of the catalogue, through whichever door."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

LISTS = ("tools/list", "resources/list", "resources/templates/list", "prompts/list")

CALLS: tuple[tuple[str, Json], ...] = (
    ("echo", {"text": "a", "times": 2}),
    ("everything", {}),
    ("place", {"city": "Oslo"}),
    ("numbers", {"count": 3}),
    ("perhaps", {"there": True}),
    ("perhaps", {"there": False}),
    ("with_meta", {}),
    ("refuse", {}),
    ("crash", {}),
    ("echo", {"txt": "a"}),
    ("echo", {"times": "many"}),
    ("ask_form", {}),
    ("ask_several", {}),
    ("ask_page", {}),
    ("ask_model", {}),
    ("ask_model", {"sound": True}),
    ("ask_model_with_tools", {}),
    ("ask_roots", {}),
    ("ask_all", {}),
)
READS = (
    "doc://one",
    "doc://picture",
    "doc://folder",
    "doc://asked",
    "page://a/7",
)
PROMPTS: tuple[tuple[str, Json], ...] = (
    ("greet", {"name": "Ada", "tone": "firm"}),
    ("asking", {}),
)
COMPLETIONS: tuple[tuple[Json, str, str], ...] = (
    ({"type": "ref/prompt", "name": "greet"}, "tone", "k"),
    ({"type": "ref/prompt", "name": "greet"}, "name", "Ada"),
    ({"type": "ref/resource", "uri": "page://{chapter}/{number}"}, "chapter", "chap"),
    ({"type": "ref/resource", "uri": "page://{chapter}/{number}"}, "number", ""),
)
# What each of these is refused with.
MISTAKES: tuple[tuple[str, Json, int], ...] = (
    ("no/such", {}, -32601),
    ("tools/call", {"name": "nobody", "arguments": {}}, -32602),
    ("tools/list", {"cursor": "forged"}, -32602),
    ("prompts/get", {"name": "nobody"}, -32602),
    ("prompts/get", {"name": "greet", "arguments": {}}, -32602),
    ("completion/complete", {"ref": {"type": "ref/x"}}, -32602),
    (
        "completion/complete",
        {"ref": {"type": []}, "argument": {"name": "a", "value": "b"}},
        -32602,
    ),
)
