"""Tools that repeat what they are given, that ask the database, and that change
the list of tools.
"""

from __future__ import annotations

from django.contrib.auth.models import User

from mcp_transport import Context, Shelf, Tool, ToolError

shelf = Shelf()


@shelf.tool
async def echo(text: str = "", times: int = 1) -> str:
    """Say it again.

    Args:
        text: what to say.
        times: how often.
    """
    return text * times


@shelf.tool
async def say(ctx: Context, text: str, fail: bool = False) -> dict[str, str]:
    """Say a text in every way that a tool has.

    Args:
        text: what to say.
        fail: whether to end in an error.
    """
    ctx.progress(1, message=text)
    ctx.log("info", text, logger=text)
    ctx.log("info", {text: [text]})
    if fail:
        raise ToolError(text)
    return {"said": text}


@shelf.tool
def count_users() -> int:
    """Ask the database, on a thread."""
    return User.objects.count()


@shelf.tool
async def count_users_async() -> int:
    """Ask the database, on the event loop."""
    return await User.objects.acount()


def passing() -> str:
    """Come and go."""
    return "here"


PASSING = Tool.of(passing)


@shelf.tool
async def change() -> None:
    """Put a tool on the shelf."""
    shelf.add(PASSING)


@shelf.resource("note://{name}")
async def note(name: str) -> str:
    """Return a text."""
    return name


@shelf.prompt
async def greet(name: str) -> str:
    """Greet somebody.

    Args:
        name: who.
    """
    return f"Hello {name}"
