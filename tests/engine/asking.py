"""Tools that ask, and a client that answers, for the tests of the rounds."""

from __future__ import annotations

from typing import Any

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.protocol.messages import Response
from mcp_transport.protocol.questions import (
    Elicit,
    ElicitUrl,
    ListRoots,
    Question,
    Sample,
)
from tests.engine.exchanges import Json, handed

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
FORM = Elicit("Ship to?", CITY)
URL = ElicitUrl("Please pay.", "https://shop.example/pay")
SAMPLE = Sample("Say hello.", max_tokens=10)
ROOTS = ListRoots()
QUESTIONS: dict[str, Question] = {
    "form": FORM,
    "url": URL,
    "sample": SAMPLE,
    "roots": ROOTS,
}
EVERYTHING: Json = {
    "elicitation": {"form": {}, "url": {}},
    "sampling": {},
    "roots": {},
}

OSLO: Json = {"action": "accept", "content": {"city": "Oslo"}}
BERGEN: Json = {"action": "accept", "content": {"city": "Bergen"}}
HELLO: Json = {
    "role": "assistant",
    "content": {"type": "text", "text": "Hello."},
    "model": "m",
}
FILES: Json = {"roots": [{"uri": "file:///a"}]}
ANSWERS: dict[str, Json] = {
    "form": OSLO,
    "url": {"action": "accept"},
    "sample": HELLO,
    "roots": FILES,
}


async def fill_in(params: Json) -> Json:
    """Answer an elicitation as a user does who agrees to everything."""
    return {"action": "accept"} if params.get("mode") == "url" else OSLO


async def say_hello(params: Json) -> Json:
    return HELLO


def shelf_asking() -> Shelf:
    """Return a shelf of tools that ask in every way."""
    shelf = Shelf()

    @shelf.tool
    def one(ctx: Context, kind: str = "form") -> Any:
        """Ask one question of this kind."""
        ctx.progress(1)
        ctx.log("info", "asking")
        return ctx.ask(it=QUESTIONS[kind])["it"]

    @shelf.tool
    async def rounds(ctx: Context, count: int) -> str:
        """Ask for a city after another."""
        cities = []
        for n in range(count):
            ctx.progress(n + 1)
            ctx.log("info", f"round {n + 1}")
            answer = ctx.ask(**{f"q{n}": FORM})[f"q{n}"]
            cities.append(answer["content"]["city"])
        return " ".join(cities)

    @shelf.tool
    async def both(ctx: Context) -> Any:
        """Ask two questions at once."""
        return ctx.ask(where=FORM, roots=ROOTS)

    @shelf.tool
    async def greedy(ctx: Context) -> str:
        """Catch every exception."""
        try:
            return str(ctx.ask(it=FORM)["it"]["action"])
        except Exception:
            return "swallowed"

    return shelf


def answer(server: Server, session: Session, asked: Json, result: Json | None) -> None:
    """Answer a live request of the server; None answers with an error."""
    error = None if result is not None else {"code": -32000, "message": "No way."}
    exchange = handed(server, Response(asked["id"], result, error), session)
    assert exchange.done
    assert exchange.take() == []
