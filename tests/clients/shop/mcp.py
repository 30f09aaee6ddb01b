"""One entry for each thing that a server can do for a client, or ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from mcp_transport import (
    Context,
    Elicit,
    Image,
    ListRoots,
    ResourceLink,
    ResourceUpdated,
    Sample,
    Text,
    Tool,
    ToolError,
    catalogue,
    prompt,
    resource,
    tool,
)
from mcp_transport.conf import announce
from tests.clients.shop.logo import LOGO

PENCE = {"tea": 120, "cake": 250}

Item = Literal["tea", "cake"]


@dataclass
class Quote:
    """A price in pence."""

    item: Item
    pence: int


@tool(title="Quote a price", read_only=True, idempotent=True, open_world=False)
def quote(item: Item, count: Annotated[int, Field(ge=1, le=12)] = 1) -> Quote:
    """Say what something costs.

    Args:
        item: what to buy.
        count: how many, by the piece.
    """
    return Quote(item, PENCE[item] * count)


@tool
def refuse() -> str:
    """Fail, and say what to do instead."""
    raise ToolError("There is no cake left. Ask for tea.")


@tool
def menu() -> list[Text | Image | ResourceLink]:
    """Show what there is."""
    return [
        Text("Tea and cake"),
        Image(LOGO, "image/png"),
        ResourceLink("shop://stock", "stock", mime_type="text/plain"),
    ]


@tool
def whoami(ctx: Context) -> str:
    """Name the user of the token."""
    return str(ctx.user.get_username())


@tool
def order(ctx: Context) -> str:
    """Ask the user for a name, and order in it."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "title": "Your name"}},
        "required": ["name"],
    }
    answer = ctx.ask(who=Elicit("Who is the tea for?", schema))["who"]
    if answer["action"] != "accept":
        raise ToolError("Without a name there is no order.")
    return f"Tea for {answer['content']['name']}"


@tool
def slogan(ctx: Context, subject: str) -> str:
    """Let the client's model write a slogan.

    Args:
        subject: what to praise.
    """
    answer = ctx.ask(line=Sample(subject, max_tokens=20))["line"]
    return str(answer["content"]["text"])


@tool
def folders(ctx: Context) -> str:
    """Name the client's roots."""
    roots = ctx.ask(roots=ListRoots())["roots"]["roots"]
    return ", ".join(root["uri"] for root in roots)


@tool
def brew(ctx: Context, cups: int) -> str:
    """Brew cup by cup, reporting each."""
    for cup in range(1, cups + 1):
        ctx.progress(cup, total=cups, message=f"cup {cup}")
        ctx.log("info", {"cup": cup}, logger="kettle")
        ctx.log("debug", "too fine to be told")
    return f"{cups} cups"


@tool
def restock() -> str:
    """Change the stock, and tell those who watch it."""
    announce(ResourceUpdated("shop://stock"))
    return "Restocked"


@tool(permission="auth.delete_user")
def close_shop() -> str:
    """Need a permission that the user of the token lacks."""
    return "Closed"


def counter() -> str:
    """Come and go by toggle_counter."""
    return "Open"


@tool
def toggle_counter() -> str:
    """Put a tool on the shelf, or take it off again."""
    if any(entry.key == "counter" for entry in catalogue.entries()):
        catalogue.remove("tools", "counter")
        return "Closed the counter"
    catalogue.add(Tool.of(counter))
    return "Opened the counter"


@resource("shop://stock", mime_type="text/plain", title="Stock")
def stock() -> str:
    """What there is."""
    return "tea, cake"


@resource("shop://logo", mime_type="image/png")
def logo() -> bytes:
    """The sign over the door."""
    return LOGO


@resource("shop://items/{item}", completions={"item": sorted(PENCE)})
def item(item: str) -> dict[str, int]:
    """One item."""
    return {"pence": PENCE[item]}


@prompt(completions={"tone": ["kind", "firm", "funny"]})
def letter(customer: str, tone: str = "kind") -> str:
    """Write to a customer.

    Args:
        customer: the name.
        tone: kind, firm or funny.
    """
    return f"Write a {tone} letter to {customer}."
