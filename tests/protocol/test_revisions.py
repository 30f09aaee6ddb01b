"""The tables of the revisions, held against the specification's own words.

What is written here was read from the schemas, not from the tables.
"""

from __future__ import annotations

import dataclasses

import pytest

from mcp_transport.protocol.revision import NESTED, RESULTS, Revision
from mcp_transport.protocol.revisions import (
    LATEST,
    LATEST_STATEFUL,
    REVISIONS,
    STATEFUL,
    STATELESS,
    UNSTATED,
)
from mcp_transport.protocol.revisions.v2024_11_05 import (
    audio_as_resource,
    link_as_text,
)
from mcp_transport.protocol.revisions.v2025_06_18 import named_enums
from mcp_transport.protocol.revisions.v2026_07_28 import finish

FIRST, SECOND, THIRD, FOURTH, FIFTH = REVISIONS.values()
every = pytest.mark.parametrize("revision", REVISIONS.values(), ids=REVISIONS)


def since(
    name: str, of: str, *, until: Revision | None = None
) -> list[tuple[str, bool]]:
    """Return each revision's name, and whether it has the field from ``of`` on."""
    names = list(REVISIONS)
    first = names.index(of)
    last = len(names) if until is None else names.index(until.name)
    return [(other, first <= at < last) for at, other in enumerate(names)]


def test_five_are_served_oldest_first() -> None:
    assert list(REVISIONS) == [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
    ]
    assert list(STATEFUL) == list(REVISIONS)[:4]
    assert list(STATELESS) == list(REVISIONS)[4:]
    assert LATEST is FIFTH
    assert LATEST_STATEFUL is FOURTH
    assert UNSTATED is SECOND


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        REVISIONS["x"] = LATEST  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        LATEST.name = "x"  # type: ignore[misc]


COMMON_REQUESTS = {
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "completion/complete",
}
SESSION_REQUESTS = {
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
}
STATELESS_REQUESTS = {"server/discover", "subscriptions/listen"}


@every
def test_each_has_its_methods(revision: Revision) -> None:
    own = SESSION_REQUESTS if revision.stateful else STATELESS_REQUESTS
    assert revision.requests == COMMON_REQUESTS | own


def test_only_one_has_batches() -> None:
    assert [r.name for r in REVISIONS.values() if r.batching] == [SECOND.name]


def test_each_asks_what_it_can() -> None:
    old = {("sampling",), ("roots",)}
    form = old | {("elicitation", "form")}
    new = form | {("elicitation", "url"), ("sampling", "tools")}
    asks = [revision.asks for revision in REVISIONS.values()]
    assert asks == [old, old, form, new, new]


def test_only_the_newest_has_codes_and_statuses_of_its_own() -> None:
    for revision in STATEFUL.values():
        assert revision.resource_not_found == -32002
        assert revision.statuses == {}
        assert revision.default_log_level == "info"
        assert revision.object_output_only
        assert not revision.mirrors_headers
    assert FIFTH.resource_not_found == -32602
    assert FIFTH.statuses == {-32601: 404, -32020: 400, -32021: 400, -32022: 400}
    assert FIFTH.default_log_level is None
    assert not FIFTH.object_output_only
    assert FIFTH.mirrors_headers


def test_only_one_can_be_told_to_come_back() -> None:
    assert [r.name for r in REVISIONS.values() if r.primes_streams] == [FOURTH.name]


# Fields: the type, the field, the first revision that has it.
FIELDS = [
    ("Implementation", "name version", FIRST),
    ("Implementation", "title", THIRD),
    ("Implementation", "description icons websiteUrl", FOURTH),
    ("ServerCapabilities", "tools prompts resources logging experimental", FIRST),
    ("ServerCapabilities", "completions", SECOND),
    ("ServerCapabilities", "extensions", FIFTH),
    ("Tool", "name description inputSchema", FIRST),
    ("Tool", "annotations", SECOND),
    ("Tool", "title outputSchema _meta", THIRD),
    ("Tool", "icons", FOURTH),
    ("CallToolResult", "content isError _meta", FIRST),
    ("CallToolResult", "structuredContent", THIRD),
    ("Resource", "uri name description mimeType size annotations", FIRST),
    ("Resource", "title _meta", THIRD),
    ("Resource", "icons", FOURTH),
    ("ResourceTemplate", "uriTemplate name description mimeType annotations", FIRST),
    ("ResourceTemplate", "title _meta", THIRD),
    ("ResourceTemplate", "icons", FOURTH),
    ("ResourceContents", "uri mimeType text blob", FIRST),
    ("ResourceContents", "_meta", THIRD),
    ("Prompt", "name description arguments", FIRST),
    ("Prompt", "title _meta", THIRD),
    ("Prompt", "icons", FOURTH),
    ("PromptArgument", "name description required", FIRST),
    ("PromptArgument", "title", THIRD),
    ("Annotations", "audience priority", FIRST),
    ("Annotations", "lastModified", THIRD),
    ("ProgressParams", "progressToken progress total", FIRST),
    ("ProgressParams", "message", SECOND),
    ("ListToolsResult", "tools nextCursor _meta", FIRST),
    ("ListToolsResult", "ttlMs cacheScope", FIFTH),
    ("ListResourcesResult", "resources nextCursor _meta", FIRST),
    ("ListResourcesResult", "ttlMs cacheScope", FIFTH),
    ("ListResourceTemplatesResult", "resourceTemplates nextCursor _meta", FIRST),
    ("ListResourceTemplatesResult", "ttlMs cacheScope", FIFTH),
    ("ListPromptsResult", "prompts nextCursor _meta", FIRST),
    ("ListPromptsResult", "ttlMs cacheScope", FIFTH),
    ("ReadResourceResult", "contents _meta", FIRST),
    ("ReadResourceResult", "ttlMs cacheScope", FIFTH),
    ("GetPromptResult", "description messages _meta", FIRST),
    ("CompleteResult", "completion _meta", FIRST),
    ("PromptMessage", "role content", FIRST),
    ("ToolAnnotations", "title readOnlyHint destructiveHint idempotentHint", SECOND),
    ("ToolAnnotations", "openWorldHint", SECOND),
    ("Icon", "src mimeType sizes theme", FOURTH),
    ("ElicitParams", "message requestedSchema", THIRD),
    ("ElicitParams", "mode url", FOURTH),
    ("InputRequiredResult", "resultType inputRequests requestState _meta", FIFTH),
    ("DiscoverResult", "supportedVersions capabilities instructions", FIFTH),
    ("DiscoverResult", "ttlMs cacheScope _meta", FIFTH),
    ("text", "type text annotations", FIRST),
    ("text", "_meta", THIRD),
    ("image", "type data mimeType annotations", FIRST),
    ("image", "_meta", THIRD),
    ("audio", "type data mimeType annotations", SECOND),
    ("audio", "_meta", THIRD),
    ("resource", "type resource annotations", FIRST),
    ("resource", "_meta", THIRD),
    ("resource_link", "type uri name title description mimeType size", THIRD),
    ("resource_link", "annotations _meta", THIRD),
    ("resource_link", "icons", FOURTH),
]


@pytest.mark.parametrize(
    ("kind", "names", "first"), FIELDS, ids=[f"{k}-{n}" for k, n, _ in FIELDS]
)
def test_a_field_is_there_from_its_revision_on(
    kind: str, names: str, first: Revision
) -> None:
    for name in names.split():
        having = [
            (revision.name, name in revision.fields.get(kind, ()))
            for revision in REVISIONS.values()
        ]
        assert having == since(name, first.name)


def test_one_field_came_and_went() -> None:
    having = [
        (revision.name, "elicitationId" in revision.fields.get("ElicitParams", ()))
        for revision in REVISIONS.values()
    ]
    assert having == since("elicitationId", FOURTH.name, until=FIFTH)


def test_no_field_is_there_that_is_not_listed_above() -> None:
    listed: dict[str, set[str]] = {
        "InitializeResult": {
            "protocolVersion",
            "capabilities",
            "serverInfo",
            "instructions",
            "_meta",
        },
        "ElicitParams": {"elicitationId"},
    }
    for kind, names, _ in FIELDS:
        listed.setdefault(kind, set()).update(names.split())
    for revision in REVISIONS.values():
        for kind, present in revision.fields.items():
            assert present <= listed[kind], (revision.name, kind)


@every
def test_every_result_and_every_part_of_one_has_its_fields(revision: Revision) -> None:
    for method in revision.requests & RESULTS.keys():
        assert RESULTS[method] in revision.fields
    for kind, parts in NESTED.items():
        if kind in revision.fields:
            for field, part in parts.items():
                if field in revision.fields[kind] and part != "ContentBlock":
                    assert part in revision.fields, (revision.name, kind, field)


# What one says in the words of another.


@every
def test_what_has_no_fields_has_a_replacement(revision: Revision) -> None:
    for kind in ("text", "image", "audio", "resource", "resource_link"):
        assert (kind in revision.fields) is not (kind in revision.content)


def test_audio_is_said_as_a_resource() -> None:
    assert audio_as_resource({"type": "audio", "data": "YQ==", "mimeType": "a/b"}) == {
        "type": "resource",
        "resource": {"uri": "audio:inline", "mimeType": "a/b", "blob": "YQ=="},
    }


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ({"uri": "a:b", "name": "n"}, "[n](a:b)"),
        ({"uri": "a:b", "name": "n", "title": "T"}, "[T](a:b)"),
        ({"uri": "a:b", "name": "n", "description": "About."}, "[n](a:b): About."),
    ],
)
def test_a_link_is_said_as_text(link: dict[str, str], text: str) -> None:
    assert link_as_text({"type": "resource_link", **link}) == {
        "type": "text",
        "text": text,
    }


def test_choices_are_named_in_the_way_of_the_third() -> None:
    schema = {
        "type": "object",
        "properties": {
            "plain": {"type": "string", "default": "x", "maxLength": 5},
            "yes": {"type": "boolean", "default": True},
            "n": {"type": "integer", "default": 3, "minimum": 1},
            "one": {
                "type": "string",
                "title": "One",
                "oneOf": [{"const": "a", "title": "A"}, {"const": "b"}],
            },
        },
        "required": ["one"],
    }
    assert named_enums(schema) == {
        "type": "object",
        "properties": {
            "plain": {"type": "string", "maxLength": 5},
            "yes": {"type": "boolean", "default": True},
            "n": {"type": "integer", "minimum": 1},
            "one": {
                "type": "string",
                "title": "One",
                "enum": ["a", "b"],
                "enumNames": ["A", "b"],
            },
        },
        "required": ["one"],
    }
    assert "oneOf" in schema["properties"]["one"]  # type: ignore[index]


def test_a_choice_of_several_cannot_be_asked_by_the_third() -> None:
    several = {"type": "array", "items": {"enum": ["a"]}}
    with pytest.raises(ValueError, match=r"several values at once \('many'\)"):
        named_enums({"type": "object", "properties": {"many": several}})


@pytest.mark.parametrize(
    "method",
    [
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
    ],
)
def test_what_may_be_kept_says_for_how_long(method: str) -> None:
    complete = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
    assert finish(method, {}) == complete
    given = {"ttlMs": 5, "cacheScope": "public"}
    assert finish(method, dict(given)) == {"resultType": "complete", **given}
    asking = {"resultType": "input_required"}
    assert finish(method, dict(asking)) == asking


@pytest.mark.parametrize("method", ["tools/call", "prompts/get", "x"])
def test_what_may_not_be_kept_says_nothing_of_it(method: str) -> None:
    assert finish(method, {}) == {"resultType": "complete"}
