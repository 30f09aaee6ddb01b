from __future__ import annotations

import datetime
from typing import Any

import pytest
from pydantic import BaseModel

from mcp_transport.protocol.content import (
    Audio,
    EmbeddedResource,
    Image,
    ResourceLink,
    Text,
    encodable,
    is_content,
    json_text,
    resource_contents,
    to_blocks,
)


class Order(BaseModel):
    pk: int
    day: datetime.date


ORDER = Order(pk=7, day=datetime.date(2031, 1, 2))
ORDER_JSON = '{"pk":7,"day":"2031-01-02"}'
LINK = ResourceLink(
    uri="order://7",
    name="7",
    title="Order",
    description="One",
    mime_type="text/plain",
    size=3,
    icons=[{"src": "data:,x"}],
    annotations={"priority": 1},
    meta={"a.b/c": 1},
)


class Opaque:
    pass


@pytest.mark.parametrize(
    ("content", "block"),
    [
        (Text("hi"), {"type": "text", "text": "hi"}),
        (
            Text("hi", annotations={"audience": ["user"]}, meta={"k": 1}),
            {
                "type": "text",
                "text": "hi",
                "annotations": {"audience": ["user"]},
                "_meta": {"k": 1},
            },
        ),
        (
            Image(b"\xff\x00", "image/png"),
            {"type": "image", "data": "/wA=", "mimeType": "image/png"},
        ),
        (
            Audio(b"ab", "audio/wav", meta={}),
            {"type": "audio", "data": "YWI=", "mimeType": "audio/wav", "_meta": {}},
        ),
        (
            LINK,
            {
                "type": "resource_link",
                "uri": "order://7",
                "name": "7",
                "title": "Order",
                "description": "One",
                "mimeType": "text/plain",
                "size": 3,
                "icons": [{"src": "data:,x"}],
                "annotations": {"priority": 1},
                "_meta": {"a.b/c": 1},
            },
        ),
        (
            ResourceLink("order://8", "8"),
            {"type": "resource_link", "uri": "order://8", "name": "8"},
        ),
        (
            EmbeddedResource("a://b", text="t", annotations={"priority": 0}),
            {
                "type": "resource",
                "resource": {"uri": "a://b", "text": "t"},
                "annotations": {"priority": 0},
            },
        ),
        (
            EmbeddedResource("a://b", blob=b"", mime_type="x/y", meta={"k": 1}),
            {
                "type": "resource",
                "resource": {
                    "uri": "a://b",
                    "blob": "",
                    "mimeType": "x/y",
                    "_meta": {"k": 1},
                },
            },
        ),
    ],
)
def test_each_kind_of_content_has_its_wire_form(
    content: Any, block: dict[str, Any]
) -> None:
    assert content.to_json() == block
    assert to_blocks(content) == [block]


@pytest.mark.parametrize("parts", [{}, {"text": "t", "blob": b"b"}])
def test_an_embedded_resource_is_either_text_or_blob(parts: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="either text= or blob="):
        EmbeddedResource("a://b", **parts)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, []),
        ("", [""]),
        ("hi", ["hi"]),
        ([Text("a"), "b"], ["a", "b"]),
        ((Text("a"),), ["a"]),
        (["a", "b"], ['["a","b"]']),
        ([], ["[]"]),
        ([Text("a"), 1], ['[{"text":"a","annotations":null,"meta":null},1]']),
        (3, ["3"]),
        (True, ["true"]),
        ({"k": [1.5, None]}, ['{"k":[1.5,null]}']),
        (ORDER, [ORDER_JSON]),
        ([ORDER], [f"[{ORDER_JSON}]"]),
        (float("nan"), ["null"]),
        ({"b": b"\xff"}, ['{"b":"_w=="}']),
    ],
)
def test_a_value_becomes_blocks_of_text(value: object, texts: list[str]) -> None:
    assert [block["text"] for block in to_blocks(value)] == texts


@pytest.mark.parametrize(
    "value", [None, "s", Text("a"), LINK, ["s", Text("a")], (Image(b"", "x/y"),)]
)
def test_what_is_shown_is_content(value: object) -> None:
    assert is_content(value)


@pytest.mark.parametrize("value", [[], ["a"], [Text("a"), 1], {}, 0, b"", {"a": "b"}])
def test_what_is_data_is_not_content(value: object) -> None:
    assert not is_content(value)


def test_a_value_that_json_cannot_say_is_refused_by_its_type() -> None:
    for value in (Opaque(), {"deep": [Opaque()]}):
        with pytest.raises(TypeError, match="Opaque has no JSON form"):
            to_blocks(value)
    with pytest.raises(TypeError, match="return Image, Audio or EmbeddedResource"):
        to_blocks(b"raw")


def test_circles_and_depth_are_refused_not_raised_through() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = 1
    for _ in range(2000):
        deep = [deep]
    for value in (circle, deep):
        with pytest.raises(TypeError, match="cannot be written as JSON"):
            json_text(value)


def test_lone_surrogates_become_encodable_everywhere() -> None:
    assert encodable("a\ud800b") == "a\ufffdb"
    assert encodable("\ud83d\ude00") == "😀"
    assert encodable("é") == "é"
    lone = "\udfff"
    assert Text(lone).to_json()["text"] == "\ufffd"
    assert to_blocks(lone)[0]["text"] == "\ufffd"
    assert json_text({lone: [lone, 1, float("inf")]}) == '{"\ufffd":["\ufffd",1,null]}'
    assert ResourceLink("a://b", lone, title=lone).to_json()["name"] == "\ufffd"
    (contents,) = resource_contents("a://b", {"k": lone})
    contents["text"].encode()


@pytest.mark.parametrize(
    ("value", "mime_type", "contents"),
    [
        ("t", None, {"mimeType": "text/plain", "text": "t"}),
        ("t", "text/html", {"mimeType": "text/html", "text": "t"}),
        (b"\xff", None, {"mimeType": "application/octet-stream", "blob": "/w=="}),
        (bytearray(b"a"), "image/png", {"mimeType": "image/png", "blob": "YQ=="}),
        (ORDER, None, {"mimeType": "application/json", "text": ORDER_JSON}),
        ([1, 2], None, {"mimeType": "application/json", "text": "[1,2]"}),
        ({}, "a/b+json", {"mimeType": "a/b+json", "text": "{}"}),
        (None, None, {"mimeType": "application/json", "text": "null"}),
    ],
)
def test_what_a_resource_gives_becomes_its_contents(
    value: object, mime_type: str | None, contents: dict[str, Any]
) -> None:
    found = resource_contents("order://7", value, mime_type)
    assert found == [{"uri": "order://7", **contents}]


def test_embedded_resources_keep_their_own_addresses() -> None:
    one = EmbeddedResource("a://1", text="x")
    two = EmbeddedResource("a://2", blob=b"y", mime_type="x/y")
    assert resource_contents("a://", one, "text/html") == [one.contents()]
    assert resource_contents("a://", (one, two)) == [
        {"uri": "a://1", "text": "x"},
        {"uri": "a://2", "blob": "eQ==", "mimeType": "x/y"},
    ]
    with pytest.raises(TypeError, match="EmbeddedResource only, not str"):
        resource_contents("a://", [one, "x"])
