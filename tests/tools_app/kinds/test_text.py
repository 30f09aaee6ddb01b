from __future__ import annotations

import pytest

from mcp_transport import connect
from mcp_transport.protocol.errors import ProtocolError
from tests.tools_app.kinds.making import caller, complaints, made, served
from tools_app.kinds.text import MAX_TEXT_BYTES

HOURS = {"mime_type": "text/markdown", "text": "# Hours\r\n\r\n  Nine to five.\n"}


async def test_a_client_reads_what_was_written() -> None:
    entry = made("text", "docs://hours", HOURS, title="Hours", description="When.")
    async with connect(served(entry)) as client:
        (listed,) = await client.list_resources()
        read = await client.read_resource("docs://hours")
    text = "# Hours\n\n  Nine to five.\n"
    assert listed == {
        "uri": "docs://hours",
        "name": "Hours",
        "title": "Hours",
        "description": "When.",
        "mimeType": "text/markdown",
        "size": len(text),
    }
    assert read["contents"] == [
        {"uri": "docs://hours", "mimeType": "text/markdown", "text": text}
    ]


async def test_it_needs_the_scope_of_resources() -> None:
    entry = made("text", "docs://hours", HOURS)
    async with connect(served(entry), caller=caller("tools:call")) as client:
        assert await client.list_resources() == []
        with pytest.raises(ProtocolError):
            await client.read_resource("docs://hours")


def test_a_text_can_be_as_large_as_is_said_and_no_larger() -> None:
    largest = "é" * (MAX_TEXT_BYTES // 2)
    assert made("text", "docs://x", {**HOURS, "text": largest}).size == MAX_TEXT_BYTES
    assert "text" in complaints("text", {**HOURS, "text": largest + "x"})


@pytest.mark.parametrize(
    "text", ["", "a\u202eb", "a\u200bb", "a\x00b", "a\x1bb", "\U000e0041", None]
)
def test_a_text_that_a_reader_would_not_see_is_refused(text: str | None) -> None:
    assert "text" in complaints("text", {**HOURS, "text": text})


@pytest.mark.parametrize(
    "mime_type", ["", "markdown", "text/", "text/plain\nX: y", "text/a b", "/", "a//b"]
)
def test_what_is_no_media_type_is_refused(mime_type: str) -> None:
    assert "mime_type" in complaints("text", {**HOURS, "mime_type": mime_type})


@pytest.mark.parametrize("mime_type", ["text/plain; charset=utf-8", "image/svg+xml"])
def test_media_types_are_those_of_the_web(mime_type: str) -> None:
    entry = made("text", "docs://x", {**HOURS, "mime_type": mime_type})
    assert entry.mime_type == mime_type


@pytest.mark.parametrize(
    "uri",
    [
        "hours",
        "docs:",
        "docs://a b",
        "docs://{pk}",
        "1:x",
        "docs://é",
        "d:" + "x" * 2048,
    ],
)
def test_what_is_no_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="is no URI"):
        made("text", uri, HOURS)
