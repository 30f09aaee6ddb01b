"""One of everything that a behaviour needs.

What has to wait does so for a file whose name the client gives, so that a test
can let it go whichever process it runs in.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcp_transport import (
    Audio,
    Context,
    Elicit,
    ElicitUrl,
    EmbeddedResource,
    Image,
    ListChanged,
    ListRoots,
    ResourceLink,
    ResourceUpdated,
    Sample,
    Shelf,
    Text,
    ToolError,
)
from mcp_transport.conf import announce
from mcp_transport.engine.context import Level

shelf = Shelf()

PNG = b"\x89PNG\r\n\x1a\n"
WAV = b"RIFF\x24\x00\x00\x00WAVE"
LOOK_AGAIN_S = 0.01
SECRET = "the password is swordfish"


@dataclass
class Place:
    """A place on a map."""

    city: str
    height_m: float


class Unforeseen(Exception):
    """Something whose words must not leave the process."""


# What answers at once.


@shelf.tool
async def echo(text: str, times: int = 1) -> str:
    """Say it again.

    Args:
        text: what to say.
        times: how often.
    """
    return text * times


@shelf.tool
def echo_from_thread(text: str) -> str:
    """Say it again, as a plain function does.

    Args:
        text: what to say.
    """
    return text


@shelf.tool
async def place(city: str) -> Place:
    """Return an object.

    Args:
        city: which one.
    """
    return Place(city, 2.5)


@shelf.tool
async def numbers(count: int) -> list[int]:
    """Return a list.

    Args:
        count: how many.
    """
    return list(range(count))


@shelf.tool
async def everything() -> list[Text | Image | Audio | ResourceLink | EmbeddedResource]:
    """Return a block of each kind."""
    return [
        Text("words"),
        Image(PNG, "image/png"),
        Audio(WAV, "audio/wav"),
        ResourceLink("doc://one", "one", description="A document."),
        EmbeddedResource("doc://one", text="abc", mime_type="text/plain"),
    ]


@shelf.tool
async def refuse() -> str:
    """Fail in words."""
    raise ToolError("Try again with another colour.")


@shelf.tool
async def crash() -> str:
    """Fail in a way that nobody foresaw."""
    raise Unforeseen(SECRET)


# What takes its time.


class _Mark:
    """The files by which a test and a call that it began meet."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self.touch("begun")

    def touch(self, what: str) -> None:
        self._path.with_suffix(f".{what}").touch()

    async def open(self) -> None:
        """Wait until the file itself is there; tell how the wait ended."""
        try:
            while not self._path.exists():  # noqa: ASYNC110 - by another process
                await asyncio.sleep(LOOK_AGAIN_S)
        except asyncio.CancelledError:
            self.touch("cancelled")
            raise
        self.touch("finished")


@shelf.tool
async def hold(mark: str) -> str:
    """Wait for a file.

    Args:
        mark: which one.
    """
    await _Mark(mark).open()
    return "held"


@shelf.tool(timeout_s=0.2)
async def dawdle(mark: str) -> str:
    """Wait for a file for longer than the tool may run.

    Args:
        mark: which one.
    """
    await _Mark(mark).open()
    return "in vain"


@shelf.tool
async def count(ctx: Context, to: int, mark: str | None = None) -> str:
    """Report progress at each step; half-way, wait for a file.

    Args:
        to: how far.
        mark: the file, if any.
    """
    for step in range(1, to + 1):
        ctx.progress(step, to, f"step {step}")
        if mark is not None and step == to // 2:
            await _Mark(mark).open()
    return f"{to} steps"


@shelf.tool
async def poll(ctx: Context, mark: str) -> str:
    """Let the connection go, and end when a file is there.

    Args:
        mark: which one.
    """
    ctx.progress(1)
    ctx.close_stream(retry_ms=10)
    await _Mark(mark).open()
    ctx.progress(2)
    return "polled"


@shelf.tool
async def log(ctx: Context) -> str:
    """Log something at three levels."""
    levels: tuple[Level, ...] = ("debug", "info", "error")
    for level in levels:
        ctx.log(level, {"said": level}, logger="log")
    return "logged"


# What asks.

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "size": {
            "type": "string",
            "oneOf": [
                {"const": "s", "title": "Small"},
                {"const": "m", "title": "Medium"},
            ],
        },
    },
    "required": ["name"],
}


@shelf.tool
async def ask_user(ctx: Context) -> str:
    """Ask the user to fill in a form, and then another."""
    first = ctx.ask(first=Elicit("Who are you?", FORM))["first"]
    if first["action"] != "accept":
        return str(first["action"])
    second = ctx.ask(second=Elicit("And who else?", FORM))["second"]
    return f"{first['content']['name']} and {second['content']['name']}"


@shelf.tool
async def ask_page(ctx: Context) -> str:
    """Send the user to a page."""
    page = ElicitUrl("Please sign in.", "https://example.com/sign-in")
    return str(ctx.ask(page=page)["page"]["action"])


@shelf.tool
async def ask_model(ctx: Context, with_tools: bool = False) -> str:
    """Ask the client's model.

    Args:
        with_tools: whether it may use one.
    """
    tools = [{"name": "look", "inputSchema": {"type": "object"}}]
    sample = Sample(
        "What is it?", max_tokens=10, options={"tools": tools} if with_tools else {}
    )
    return str(ctx.ask(model=sample)["model"]["content"]["text"])


@shelf.tool
async def ask_roots(ctx: Context) -> list[str]:
    """Ask for the client's roots."""
    return [root["uri"] for root in ctx.ask(it=ListRoots())["it"]["roots"]]


# What changes.


@shelf.tool
async def change(kind: Literal["tools", "prompts", "resources"]) -> None:
    """Say that a list has changed.

    Args:
        kind: which list.
    """
    announce(ListChanged(kind))


@shelf.tool
def update(uri: str) -> None:
    """Say that a resource has changed, from a thread.

    Args:
        uri: which one.
    """
    announce(ResourceUpdated(uri))


# Resources.


@shelf.resource("doc://one", title="The One", mime_type="text/plain")
async def one() -> str:
    """Return a text."""
    return "abc"


@shelf.resource("doc://picture", mime_type="image/png")
def picture() -> bytes:
    """Return bytes."""
    return PNG


@shelf.resource("doc://root")
async def root(ctx: Context) -> str:
    """Return the client's first root."""
    return str(ctx.ask(it=ListRoots())["it"]["roots"][0]["uri"])


@shelf.resource("doc://broken")
async def broken() -> str:
    """Fail in a way that nobody foresaw."""
    raise Unforeseen(SECRET)


@shelf.resource("doc://empty")
async def empty() -> str:
    """Return nothing."""
    return ""


@shelf.resource(
    "page://{chapter}/{number}",
    mime_type="application/json",
    completions={"chapter": [f"chapter-{number:03}" for number in range(150)]},
)
async def page(chapter: str, number: int) -> dict[str, Any]:
    """Return an object as JSON."""
    return {"chapter": chapter, "number": number}


# Prompts.


def _names(value: str, arguments: dict[str, str]) -> list[str]:
    return [f"{value}!", arguments.get("tone", "kind")]


@shelf.prompt(completions={"tone": ["kind", "firm"], "name": _names})
def greet(name: str, tone: str = "kind") -> list[Any]:
    """Greet somebody.

    Args:
        name: who.
        tone: how.
    """
    return [
        {"role": "assistant", "content": "I can greet."},
        {"role": "user", "content": Text(f"{name}, {tone}")},
    ]


@shelf.prompt
async def ask_first(ctx: Context) -> str:
    """Ask before there is anything to say."""
    return str(ctx.ask(it=ListRoots())["it"]["roots"][0]["uri"])
