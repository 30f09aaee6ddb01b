from __future__ import annotations

import doctest
from typing import Any

import pytest

from mcp_transport.protocol import questions
from mcp_transport.protocol.questions import (
    BadAnswer,
    Elicit,
    ElicitUrl,
    ListRoots,
    Question,
    Sample,
    as_capabilities,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL, REVISIONS

ELICITING = [r for r in REVISIONS.values() if ("elicitation", "form") in r.asks]
OLDEST = next(iter(REVISIONS.values()))
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 10}},
    "required": ["city"],
}
FORM = Elicit("Ship to?", CITY)
URL = ElicitUrl("Pay.", "https://shop.example/pay")
SAMPLE = Sample("Hello?", max_tokens=5)
ROOTS = ListRoots()


def refused(question: Question, answer: Any) -> str:
    with pytest.raises(BadAnswer) as caught:
        question.check(answer)
    return str(caught.value)


def form_of(**properties: Any) -> Elicit:
    return Elicit("x", {"type": "object", "properties": properties})


# Forms.


@pytest.mark.parametrize("revision", ELICITING, ids=lambda r: r.name)
def test_a_form_says_its_mode_where_there_are_several(revision: Revision) -> None:
    params = {"message": "Ship to?", "requestedSchema": CITY}
    if ("elicitation", "url") in revision.asks:
        params["mode"] = "form"
    assert FORM.params(revision) == params


def test_a_form_is_said_in_the_words_of_the_revision() -> None:
    form = form_of(it={"type": "string", "oneOf": [{"const": "a", "title": "A"}]})
    asked = [r.elicitation_schema(dict(form.schema)) for r in ELICITING]
    properties = [schema["properties"]["it"] for schema in asked]
    assert properties[0] == {"type": "string", "enum": ["a"], "enumNames": ["A"]}
    assert properties[1:] == [form.schema["properties"]["it"]] * 2
    assert [form.params(r)["requestedSchema"] for r in ELICITING] == asked


@pytest.mark.parametrize(
    "answer",
    [
        {"action": "accept", "content": {"city": "Oslo"}},
        {"action": "accept", "content": {"city": "Oslo", "more": 1}},
        {"action": "decline"},
        {"action": "cancel", "content": "not looked at"},
    ],
)
def test_a_form_is_accepted_declined_or_cancelled(answer: Any) -> None:
    FORM.check(answer)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "action must be accept, decline or cancel"),
        ({"action": "Accept"}, "action must be accept, decline or cancel"),
        ({"action": True}, "action must be accept, decline or cancel"),
        ({"action": ["accept"]}, "action must be accept, decline or cancel"),
        ({"action": "accept"}, "an accepted form needs content, an object"),
        ({"action": "accept", "content": []}, "an accepted form needs content"),
        ({"action": "accept", "content": {}}, "city: missing"),
        ({"action": "accept", "content": {"city": None}}, "city: should be string"),
        ({"action": "accept", "content": {"city": "x" * 99}}, "city: "),
    ],
)
def test_an_accepted_form_fits_its_schema(answer: Any, why: str) -> None:
    assert why in refused(FORM, answer)


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "format": "email"},
        {"type": "string", "enum": ["a"]},
        {"type": "string", "oneOf": [{"const": "a", "title": "A"}]},
        {"type": "number"},
        {"type": "integer"},
        {"type": "boolean", "default": True},
        {"type": "array", "items": {"type": "string", "enum": ["a"]}},
        {"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}},
    ],
)
def test_a_form_has_fields_of_these_kinds(field: Any) -> None:
    assert form_of(it=field).params(LATEST)["requestedSchema"]["properties"] == {
        "it": field
    }


@pytest.mark.parametrize(
    "field",
    [
        {},
        {"type": "object", "properties": {}},
        {"type": "array", "items": {"type": "string"}},
        {"type": "array"},
        {"type": ["string", "null"]},
        {"type": "null"},
        {"enum": ["a"]},
    ],
)
def test_a_form_is_flat(field: Any) -> None:
    with pytest.raises(ValueError, match="Elicit: 'it' must be of type string, num"):
        form_of(it=field)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"properties": {}},
        {"type": "string", "properties": {}},
        {"type": "object", "properties": []},
    ],
)
def test_a_form_is_an_object_with_properties(schema: Any) -> None:
    with pytest.raises(ValueError, match='"type": "object" and properties'):
        Elicit("x", schema)


def test_a_schema_that_is_none_is_the_developers_fault() -> None:
    with pytest.raises(ValueError, match="not a valid schema"):
        form_of(it={"type": "string", "maxLength": "ten"})


# Pages.


def test_a_page_is_sent_with_its_mode() -> None:
    params = {"mode": "url", "message": "Pay.", "url": "https://shop.example/pay"}
    for revision in (LATEST_STATEFUL, LATEST):
        assert URL.params(revision) == params


def test_a_page_is_answered_without_content() -> None:
    for action in ("accept", "decline", "cancel"):
        URL.check({"action": action})
    assert refused(URL, {"action": "done"}) == (
        "action must be accept, decline or cancel"
    )


# Sampling.


def test_a_text_is_a_message_of_the_user() -> None:
    assert SAMPLE.params(LATEST) == {
        "messages": [{"role": "user", "content": {"type": "text", "text": "Hello?"}}],
        "maxTokens": 5,
    }


def test_all_that_is_asked_of_a_model_is_said() -> None:
    message = {"role": "assistant", "content": {"type": "text", "text": "Hi."}}
    sample = Sample(
        [message],
        max_tokens=5,
        system_prompt="Be kind.",
        temperature=0,
        options={"stopSequences": ["."]},
    )
    assert sample.params(LATEST) == {
        "messages": [message],
        "maxTokens": 5,
        "systemPrompt": "Be kind.",
        "temperature": 0,
        "stopSequences": ["."],
    }


def test_tools_need_a_capability_of_their_own() -> None:
    assert SAMPLE.capability == ("sampling",)
    assert Sample("x", 1, options={"tools": []}).capability == ("sampling", "tools")


@pytest.mark.parametrize(
    ("content", "first"),
    [
        ({"type": "text", "text": "t"}, 0),
        ({"type": "image", "data": "", "mimeType": "a/b"}, 0),
        ({"type": "audio", "data": "", "mimeType": "a/b"}, 1),
        ({"type": "tool_use", "id": "1", "name": "x", "input": {}}, 3),
        ([{"type": "tool_result", "toolUseId": "1", "content": []}], 3),
        ({"type": "resource", "resource": {"uri": "a:b", "text": "t"}}, 9),
    ],
)
def test_a_model_is_sent_what_the_revision_can_send(content: Any, first: int) -> None:
    sample = Sample([{"role": "user", "content": content}], 1)
    for at, revision in enumerate(REVISIONS.values()):
        if at >= first:
            assert sample.params(revision)["messages"][0]["content"] == content
        else:
            with pytest.raises(ValueError, match="it cannot sample from "):
                sample.params(revision)


def test_a_message_for_a_model_has_the_fields_of_the_revision() -> None:
    block = {"type": "text", "text": "t", "_meta": {"m": 1}}
    sample = Sample([{"role": "user", "content": block}], 1)
    found = sample.params(OLDEST)["messages"][0]["content"]
    assert found == {"type": "text", "text": "t"}
    assert sample.params(LATEST)["messages"][0]["content"] == block


@pytest.mark.parametrize("content", [{"type": "text", "text": "Hi."}, []])
def test_a_sampled_message_is_one(content: Any) -> None:
    SAMPLE.check({"role": "assistant", "content": content, "model": "m"})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "needs role and model"),
        ({"role": "assistant", "content": {}}, "needs role and model"),
        ({"role": 1, "model": "m", "content": {}}, "needs role and model"),
        ({"role": "assistant", "model": "m"}, "needs content"),
        ({"role": "assistant", "model": "m", "content": "Hi."}, "needs content"),
    ],
)
def test_what_is_no_sampled_message_is_refused(answer: Any, why: str) -> None:
    assert refused(SAMPLE, answer) == f"a sampled message {why}"


# Roots.


def test_roots_are_asked_for_without_params() -> None:
    assert ROOTS.params(LATEST) == {}


@pytest.mark.parametrize("roots", [[], [{"uri": "file:///a"}, {"uri": "b", "n": 1}]])
def test_roots_have_uris(roots: Any) -> None:
    ROOTS.check({"roots": roots})


@pytest.mark.parametrize("roots", [None, {}, "x", [5], [{}], [{"uri": 5}], ["file:"]])
def test_what_are_no_roots_is_refused(roots: Any) -> None:
    assert refused(ROOTS, {"roots": roots}) == (
        "roots must be a list of objects with a uri"
    )
    assert refused(ROOTS, {}) == "roots must be a list of objects with a uri"


# Capabilities.


def test_each_question_has_its_method_and_its_capability() -> None:
    each = [(q.method, q.capability) for q in (FORM, URL, SAMPLE, ROOTS)]
    assert each == [
        ("elicitation/create", ("elicitation", "form")),
        ("elicitation/create", ("elicitation", "url")),
        ("sampling/createMessage", ("sampling",)),
        ("roots/list", ("roots",)),
    ]


def test_capabilities_are_shaped_as_a_client_declares_them() -> None:
    assert as_capabilities([]) == {}
    assert as_capabilities([("elicitation", "form"), ("elicitation", "url")]) == {
        "elicitation": {"form": {}, "url": {}}
    }
    assert as_capabilities([("sampling", "tools"), ("sampling",)]) == {
        "sampling": {"tools": {}}
    }


def test_the_examples_are_true() -> None:
    tried = doctest.testmod(questions)
    assert (tried.failed, tried.attempted) == (0, 1)
