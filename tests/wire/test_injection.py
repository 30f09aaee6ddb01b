"""No text that a tool says can end its event, or begin another.

Spec: WHATWG HTML section 9.2 (server-sent events).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.client import ALL, Client
from tests.wire.conftest import Opened
from tests.wire.served.texts import TEXTS

# Progress has no words there yet.
WITHOUT_WORDS = ALL[0]


@pytest.fixture
def conf() -> dict[str, Any]:
    return {"CATALOGUE": "tests.wire.served.catalogue.shelf"}


def strictly(raw: bytes) -> list[Any]:
    """Return the data of the events, each of them just as we write them.

    This knows nothing of the standard's many ways to write an event, so that
    no line can be there which was not meant.
    """
    assert raw.endswith(b"\n\n")
    assert b"\r" not in raw
    assert b"\0" not in raw
    found = []
    for event in raw.removesuffix(b"\n\n").split(b"\n\n"):
        if event == b":":
            continue
        lines = dict(line.split(b": ", 1) for line in event.split(b"\n"))
        assert len(lines) == event.count(b"\n") + 1
        data = lines.pop(b"data")
        if data:
            assert lines.pop(b"event") == b"message"
            found.append(json.loads(data))
        assert lines.keys() <= {b"id", b"retry"}
    return found


async def streamed(client: Client, message: dict[str, Any]) -> list[Any]:
    """Return what answers a message in a stream, read in two ways."""
    async with client.open(message) as reply:
        assert reply.is_stream
        said = [one async for one in reply.messages()]
        assert strictly(reply.raw) == said
        return said


def notified(method: str, **params: Any) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "method": f"notifications/{method}",
        "params": params,
    }


def logged(data: Any, **more: Any) -> dict[str, Any]:
    return notified("message", level="info", data=data, **more)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("fail", [False, True])
async def test_what_a_tool_says_arrives_as_it_was_said(
    opened: Opened, revision: str, fail: bool
) -> None:
    async with opened(revision) as client:
        for text in TEXTS:
            call = {
                "name": "say",
                "arguments": {"text": text, "fail": fail},
                "_meta": {"progressToken": text},
            }
            message = client.message("tools/call", call, id=f"id {text}")
            *before, answer = await streamed(client, message)
            progress: dict[str, Any] = {"progressToken": text, "progress": 1}
            if revision != WITHOUT_WORDS:
                progress["message"] = text
            assert before == [
                notified("progress", **progress),
                logged(text, logger=text),
                logged({text: [text]}),
            ]
            assert answer["id"] == f"id {text}"
            result = answer["result"]
            (block,) = result["content"]
            if fail:
                assert (result["isError"], block["text"]) == (True, text)
            else:
                assert json.loads(block["text"]) == {"said": text}
                assert result.get("structuredContent", {"said": text}) == {"said": text}


@pytest.mark.parametrize("revision", ALL)
async def test_so_do_resources_and_prompts(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        for number, text in enumerate(TEXTS):
            got = client.message(
                "prompts/get", {"name": "greet", "arguments": {"name": text}}
            )
            log, answer = await streamed(client, got)
            assert log == logged(text)
            (said,) = answer["result"]["messages"]
            assert said["content"]["text"] == text
            read = client.message("resources/read", {"uri": f"text://{number}"})
            log, answer = await streamed(client, read)
            assert log == logged(text)
            (contents,) = answer["result"]["contents"]
            assert contents["text"] == text


@pytest.mark.parametrize("revision", ALL)
async def test_an_error_that_names_what_was_asked_for_is_one_line(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        for text in TEXTS:
            for method, params in (
                ("prompts/get", {"name": text}),
                ("tools/call", {"name": text, "arguments": {}}),
                ("resources/read", {"uri": f"x:{text}"}),
            ):
                response = await client.send(client.message(method, params))
                answer = response.json()
                client.hear(answer)
                assert "error" in answer
                assert not set(b"\r\n\0") & set(response.content)
