"""T26: no text that goes out ends its event, or begins another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.verdict import require
from tests.security.doors import Json
from tests.security.readers import Reader, readers
from tests.serving import daphnes

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.security.target.settings"}
SEED = 26
PIECES = (
    *("\n", "\r", "\r\n", "\n\n", "\r\r", "\0", "\u2028", "\u2029", "\ufeff", "\x85"),
    *("data: ", "event: ", "id: ", "retry: 1", ": ", "data", "{}", "done", '"', "\\n"),
    *("\x0b", "\x0c", "\x1c", "\x7f", "a", "\u00e9", "\U0001f600", " "),
)
TEXTS = (
    "a\nb",
    "a\rb",
    "a\r\nb\n\nc",
    "\n\n\n",
    "\r\r",
    "a\0b",
    "a\u2028b\u2029c",
    "a\x85b\x0bc\x0cd\x1ce",
    "\ufeffa",
    "data: a",
    "event: endpoint",
    "id: 0.0.0",
    "retry: 1",
    ": a comment",
    '\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
    "x\r\revent: done\rdata: {}\r\r",
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """To the texts that are known to be bad come so many ``composed`` of what is bad
    in them; all go through each door under each of ``mounts``.
    """

    mounts: tuple[str, ...]
    composed: int


SMALL = Size(mounts=("lean",), composed=4)
FULL = Size(mounts=("lean", "urls"), composed=400)


@dataclass(frozen=True, slots=True)
class Case:
    """A request, the notifications that come before its answer, and whether the
    answer is the right one.
    """

    method: str
    params: Json
    before: tuple[Json, ...]
    is_right: Callable[[Json], bool]


def log(data: Any, **more: Any) -> Json:
    params = {"level": "info", "data": data, **more}
    return {"jsonrpc": "2.0", "method": "notifications/message", "params": params}


def progress(text: str) -> Json:
    params = {"progressToken": text, "progress": 1, "message": text}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def cases(text: str) -> list[Case]:
    """Return the requests by which a text comes to stand in every place."""
    named = {"name": "greet", "arguments": {"name": text}}
    uri, address = f"x:{text}", f"hex://{text.encode().hex()}"
    said = (progress(text), log(text, logger=text), log({text: [text]}))
    words = [{"role": "user", "content": {"type": "text", "text": text}}]
    contents = {"uri": uri, "text": text, "mimeType": text}
    link = {"type": "resource_link", "uri": uri, "name": text, "title": text}
    blocks = [
        {"type": "text", "text": text, "_meta": {text: text}},
        {**link, "description": text, "mimeType": text},
        {"type": "resource", "resource": contents},
    ]
    structured = _with("structuredContent", {"said": text})
    return [
        Case("tools/call", _use("say", text=text), said, structured),
        Case("tools/call", _use("say", text=text, fail=True), said, _failed(text)),
        Case(
            "tools/call",
            _use("show", text=text),
            (log("shown"),),
            _with("content", blocks),
        ),
        Case("prompts/get", named, (log(text),), _with("messages", words)),
        Case(
            "resources/read",
            {"uri": address},
            (log(text),),
            _with("contents", [contents]),
        ),
        # What is not there is named in the answer, or is not.
        Case("tools/call", _use(text), (), _refused),
        Case("tools/call", _use("echo", **{f"_{text}": text}), (), _failed_in_band),
        Case("prompts/get", _use(text), (), _refused),
        Case("resources/read", {"uri": uri}, (), _refused_about(uri)),
    ]


def _with(member: str, value: Any) -> Callable[[Json], bool]:
    return lambda answer: bool(answer["result"][member] == value)


def _failed(text: str) -> Callable[[Json], bool]:
    content = [{"type": "text", "text": text}]
    return lambda answer: _failed_in_band(answer) and _with("content", content)(answer)


def _failed_in_band(answer: Json) -> bool:
    return answer["result"]["isError"] is True


def _refused(answer: Json) -> bool:
    return type(answer["error"]["code"]) is int


def _refused_about(uri: str) -> Callable[[Json], bool]:
    return lambda answer: bool(answer["error"]["data"] == {"uri": uri})


def _use(tool: str, **arguments: Any) -> Json:
    return {"name": tool, "arguments": arguments}


def composed(number: int) -> list[str]:
    random = Random(SEED)
    return [
        "".join(random.choices(PIECES, k=random.randint(1, 12))) for _ in range(number)
    ]


async def run(size: Size, directory: Path) -> str:
    texts = [*TEXTS, *composed(size.composed)]
    asked, events = 0, 0
    for mount in size.mounts:
        place = directory / mount
        place.mkdir()
        application = f"tests.security.target.asgi:{mount}"
        with daphnes(1, application, place, environ=SETTINGS) as (served,):
            async with readers(served) as opened:
                for reader in opened:
                    asked += await _all_said(reader, texts)
                    events += reader.events
            require("Traceback" not in served.said(), f"{mount}: a traceback")
    return (
        f"{len(texts)} texts in {asked} requests to {len(opened)} doors under "
        f"{len(size.mounts)} mounts: {events} events, read strictly, say what was "
        "said and no more; those of sessions once more when resumed"
    )


async def _all_said(reader: Reader, texts: list[str]) -> int:
    """Return how many requests were answered as they should be. Raises Failed."""
    numbers = count(1)
    for text in texts:
        for case in cases(text):
            message = {
                "jsonrpc": "2.0",
                "id": f"{text} {next(numbers)}",
                "method": case.method,
                "params": {**case.params, "_meta": {"progressToken": text}},
            }
            *before, answer = await reader.heard(message)
            right = (
                tuple(before) == case.before
                and answer["id"] == message["id"]
                and case.is_right(answer)
            )
            require(right, f"{reader.name}: {message} got {before}, {answer}")
    return next(numbers) - 1
