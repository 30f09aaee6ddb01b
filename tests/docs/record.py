"""Records what goes over the wire, and writes it into docs/transports.md.

    python -m tests.docs.record

A block of the page that follows a marker ``<!-- recording: NAME -->`` is
replaced by the recording of that name.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tests.docs import cluster, doors, streamable
from tests.docs.recording import Recording
from tests.docs.shop import Shop, opened
from tests.serving import ROOT

PAGE = ROOT / "docs" / "transports.md"
_BLOCK = re.compile(
    r"(?P<marker>^<!-- recording: (?P<name>\S+) -->\n+```text\n)(?P<text>.*?)\n```$",
    re.MULTILINE | re.DOTALL,
)

Scene = Callable[[Recording, Shop], Awaitable[None]]

SCENES: Mapping[str, Scene] = {
    "stranger": streamable.stranger,
    "json": streamable.json_reply,
    "progress": streamable.progress,
    "input-required": streamable.input_required,
    "listen": streamable.listen,
    "handshake": streamable.handshake,
    "session-progress": streamable.session_progress,
    "elicitation": streamable.elicitation,
    "standing-stream": streamable.standing,
    "resume": streamable.resume,
    "goodbye": streamable.goodbye,
    "sse": doors.sse,
    "plain-json": doors.plain_json,
    "plain-events": doors.plain_events,
    "plain-batch": doors.plain_batch,
    "plain-timeout": doors.plain_timeout,
    "plain-stream": doors.plain_stream,
    "websocket": doors.websocket,
    "websocket-stranger": doors.websocket_stranger,
    "stdio": doors.stdio,
    "two-processes": cluster.two_processes,
    "without-redis": cluster.without_redis,
}
# What opens a door is shown with all that a client has to send.
WHOLE = {"json", "handshake", "stranger", "plain-json"}


async def record(name: str, shop: Shop) -> str:
    recording = Recording(whole=name in WHOLE)
    await SCENES[name](recording, shop)
    return recording.text


def shown(page: str) -> dict[str, str]:
    """Return the recordings on a page, by their names."""
    return {block["name"]: block["text"] for block in _BLOCK.finditer(page)}


def rewritten(page: str, recordings: Mapping[str, str]) -> str:
    return _BLOCK.sub(
        lambda block: f"{block['marker']}{recordings[block['name']]}\n```", page
    )


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        opened(Path(directory)) as shop,
    ):
        recordings = {name: asyncio.run(record(name, shop)) for name in SCENES}
    PAGE.write_text(rewritten(PAGE.read_text("utf-8"), recordings), "utf-8")


if __name__ == "__main__":
    main()
