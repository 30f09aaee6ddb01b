"""A catalogue that has one of everything that can go over the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from mcp_transport import (
    Audio,
    Context,
    Elicit,
    ElicitUrl,
    EmbeddedResource,
    Image,
    ListRoots,
    Prompt,
    Resource,
    ResourceLink,
    ResourceUpdated,
    Sample,
    Shelf,
    Text,
    Tool,
    ToolError,
    ToolResult,
)
from mcp_transport.conf import announce

shelf = Shelf()

PNG = b"\x89PNG\r\n\x1a\n"
WAV = b"RIFF\x24\x00\x00\x00WAVE"
ICON = {
    "src": "data:image/png;base64,iVBORw0KGgo=",
    "mimeType": "image/png",
    "sizes": ["48x48", "any"],
    "theme": "dark",
}
FOR_USER = {
    "audience": ["user"],
    "priority": 0.5,
    "lastModified": "2026-01-02T03:04:05Z",
}
META = {"example.com/shelf": {"n": 1}}


@dataclass
class Place:
    """A place on a map."""

    city: str
    heights_m: list[float]


class Unexplained(Exception):
    """Something whose words must not leave the process."""


# What tools give back.


@shelf.tool(
    title="Echo",
    icons=[ICON],
    meta=META,
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
)
async def echo(text: str = "", times: int = 1) -> str:
    """Say it again.

    Args:
        text: what to say.
        times: how often.
    """
    return text * times


@shelf.tool
def everything() -> list[Text | Image | Audio | ResourceLink | EmbeddedResource]:
    """Return a block of each kind, with all that it can carry."""
    return [
        Text("words", annotations=FOR_USER, meta=META),
        Image(PNG, "image/png", annotations=FOR_USER, meta=META),
        Audio(WAV, "audio/wav", annotations=FOR_USER, meta=META),
        ResourceLink(
            "doc://one",
            "one",
            title="The One",
            description="A document.",
            mime_type="text/plain",
            size=3,
            icons=[ICON],
            annotations=FOR_USER,
            meta=META,
        ),
        EmbeddedResource("doc://text", text="abc", mime_type="text/plain", meta=META),
        EmbeddedResource("doc://blob", blob=PNG, annotations=FOR_USER),
    ]


@shelf.tool
def place(city: str) -> Place:
    """Return an object."""
    return Place(city, [1.0, 2.5])


@shelf.tool
async def numbers(count: int) -> list[int]:
    """Return a list."""
    return list(range(count))


@shelf.tool
async def perhaps(there: bool) -> int | None:
    """Return a number or nothing."""
    return 7 if there else None


@shelf.tool
def with_meta() -> ToolResult[Place]:
    """Return content of its own, an object and metadata."""
    content = ["said", Image(PNG, "image/png")]
    return ToolResult(content, structured=Place("Oslo", []), meta=META)


@shelf.tool
async def refuse() -> str:
    """Fail in words."""
    raise ToolError("Try again with another colour.")


@shelf.tool
async def crash() -> str:
    """Fail in a way that nobody foresaw."""
    raise Unexplained("the secret is swordfish")


@shelf.tool(name="route", title="Route", timeout_s=5)
async def mirrored(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    number: Annotated[
        int | None, Field(json_schema_extra={"x-mcp-header": "Number"})
    ] = None,
    fast: Annotated[
        bool | None, Field(json_schema_extra={"x-mcp-header": "Fast"})
    ] = None,
) -> str:
    """Take arguments that headers repeat.

    Args:
        region: where.
        number: which.
        fast: how.
    """
    return f"{region} {number} {fast}"


# What tools say and ask meanwhile.


@shelf.tool
async def talk(ctx: Context, steps: int = 3) -> str:
    """Report progress and log at each step, then answer."""
    for step in range(1, steps + 1):
        ctx.progress(step, total=steps, message=f"step {step}")
        ctx.log("info", {"step": step}, logger="talk")
        ctx.log("debug", "details")
    return f"{steps} steps"


FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Name", "minLength": 1, "maxLength": 9},
        "mail": {"type": "string", "format": "email", "description": "An address."},
        "age": {"type": "integer", "minimum": 0, "maximum": 150, "default": 30},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "agreed": {"type": "boolean", "default": True},
        "size": {"type": "string", "enum": ["s", "m"]},
        "colour": {
            "type": "string",
            "oneOf": [
                {"const": "r", "title": "Red"},
                {"const": "g", "title": "Green"},
            ],
        },
    },
    "required": ["name"],
}
SEVERAL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "plain": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        "titled": {
            "type": "array",
            "items": {
                "anyOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]
            },
        },
    },
}


@shelf.tool
def ask_form(ctx: Context) -> str:
    """Ask the user to fill in a form."""
    answer = ctx.ask(form=Elicit("Who are you?", FORM))["form"]
    return f"{answer['action']} {answer.get('content', {}).get('name')}"


@shelf.tool
def ask_several(ctx: Context) -> str:
    """Ask the user for several values at once."""
    return str(ctx.ask(form=Elicit("Which?", SEVERAL))["form"]["action"])


@shelf.tool
async def ask_page(ctx: Context) -> str:
    """Send the user to a page."""
    page = ElicitUrl("Please sign in.", "https://example.com/sign-in")
    return str(ctx.ask(page=page)["page"]["action"])


@shelf.tool
async def ask_model(ctx: Context, sound: bool = False) -> str:
    """Ask the client's model, with all options.

    Args:
        sound: whether it has to listen as well.
    """
    blocks = [Text("Look.").to_json(), Image(PNG, "image/png").to_json()]
    if sound:
        blocks.append(Audio(WAV, "audio/wav").to_json())
    messages = [{"role": "user", "content": block} for block in blocks]
    options = {
        "modelPreferences": {"hints": [{"name": "small"}], "speedPriority": 0.5},
        "stopSequences": ["."],
        "includeContext": "none",
        "metadata": {"a": 1},
    }
    sample = Sample(
        messages,
        max_tokens=10,
        system_prompt="Be brief.",
        temperature=0.5,
        options=options,
    )
    return str(ctx.ask(model=sample)["model"]["content"]["text"])


@shelf.tool
async def ask_model_with_tools(ctx: Context) -> str:
    """Ask the client's model, which may use a tool."""
    tools = [{"name": "look", "inputSchema": {"type": "object"}}]
    options = {"tools": tools, "toolChoice": {"mode": "auto"}}
    sample = Sample("Look.", max_tokens=10, options=options)
    return str(ctx.ask(model=sample)["model"]["model"])


@shelf.tool
async def ask_roots(ctx: Context) -> list[str]:
    """Ask for the client's roots."""
    roots = ctx.ask(roots=ListRoots())["roots"]["roots"]
    return [root["uri"] for root in roots]


@shelf.tool
async def ask_all(ctx: Context) -> str:
    """Ask the user, the model and the client at once."""
    answers = ctx.ask(
        form=Elicit("Who?", {"type": "object", "properties": {}}),
        model=Sample("Hello", max_tokens=5),
        roots=ListRoots(),
    )
    return " ".join(sorted(answers))


@shelf.tool
async def talk_and_ask(ctx: Context) -> str:
    """Report progress, then need what the client may not have."""
    ctx.progress(1)
    await asyncio.sleep(0)
    return str(ctx.ask(roots=ListRoots())["roots"])


# What changes.


def passing() -> str:
    """Come and go."""
    return "here"


PASSING = {
    "tools": Tool.of(passing),
    "prompts": Prompt.of(passing),
    "resources": Resource.of(passing, "doc://passing"),
}


@shelf.tool
async def change(kind: Literal["tools", "prompts", "resources"]) -> bool:
    """Put an entry on the shelf, or take it off; tell whether it is there now.

    Args:
        kind: which list changes.
    """
    entry = PASSING[kind]
    there = any(entry is one for one in shelf.entries())
    if there:
        shelf.remove(entry.kind, entry.key)
    else:
        shelf.add(entry)
    return not there


@shelf.tool
def update(uri: str) -> None:
    """Say that a resource has changed, from a thread.

    Args:
        uri: which one.
    """
    announce(ResourceUpdated(uri))


# Resources.


@shelf.resource(
    "doc://one",
    name="one",
    title="The One",
    mime_type="text/plain",
    size=3,
    icons=[ICON],
    annotations=FOR_USER,
    meta=META,
    ttl_ms=1000,
    cache_scope="public",
)
def one() -> str:
    """Return a text."""
    return "abc"


@shelf.resource("doc://picture", mime_type="image/png")
async def picture() -> bytes:
    """Return bytes."""
    return PNG


@shelf.resource("doc://asked")
async def asked(ctx: Context) -> str:
    """Return the client's first root."""
    return str(ctx.ask(roots=ListRoots())["roots"]["roots"][0]["uri"])


@shelf.resource("doc://folder")
def folder() -> list[EmbeddedResource]:
    """Return several contents at once."""
    return [
        EmbeddedResource("doc://folder/a", text="a", mime_type="text/plain", meta=META),
        EmbeddedResource("doc://folder/b", blob=PNG, mime_type="image/png"),
    ]


@shelf.resource(
    "page://{chapter}/{number}",
    title="A Page",
    mime_type="application/json",
    icons=[ICON],
    annotations=FOR_USER,
    meta=META,
    completions={"chapter": [f"chapter-{n:03}" for n in range(150)]},
)
async def page(chapter: str, number: int) -> dict[str, Any]:
    """Return an object as JSON."""
    return {"chapter": chapter, "number": number}


# Prompts.


@shelf.prompt(
    title="Greeting",
    icons=[ICON],
    meta=META,
    completions={"tone": ["kind", "firm"], "name": lambda value: [value + "!"]},
)
def greet(
    name: Annotated[str, Field(title="The Name")], tone: str = "kind"
) -> list[Any]:
    """Greet somebody.

    Args:
        name: who.
        tone: how.
    """
    return [
        {"role": "assistant", "content": "I can greet."},
        {"role": "user", "content": Text(f"{name}, {tone}", annotations=FOR_USER)},
        {"role": "user", "content": everything()},
    ]


@shelf.prompt
async def asking(ctx: Context) -> str:
    """Ask before there is anything to say."""
    return str(ctx.ask(roots=ListRoots())["roots"]["roots"][0]["uri"])
