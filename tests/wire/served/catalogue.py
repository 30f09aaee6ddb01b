"""Tools that repeat what they are given, that ask the database, and that tell
of the process.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

from django.contrib.auth.models import User
from django.db import connection
from pydantic import Field

from mcp_transport import Context, Elicit, Shelf, Tool, ToolError
from mcp_transport.conf import get_server
from tests.wire.served.texts import TEXTS

shelf = Shelf()


@shelf.tool
async def echo(text: str = "", times: Annotated[int, Field(ge=0, le=1000)] = 1) -> str:
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
async def ask(ctx: Context, reference: str) -> str:
    """Ask the user for what another schema describes.

    Args:
        reference: where that schema lies.
    """
    field = {"type": "string", "$ref": reference}
    form = Elicit("Which?", {"type": "object", "properties": {"a": field}})
    return str(ctx.ask(form=form)["form"]["action"])


@shelf.resource("text://{number}")
async def text(ctx: Context, number: int) -> str:
    """Return a text, having logged it.

    Args:
        number: which one.
    """
    ctx.log("info", TEXTS[number])
    return TEXTS[number]


@shelf.prompt
async def greet(ctx: Context, name: str) -> str:
    """Greet somebody, having logged who it is.

    Args:
        name: who.
    """
    ctx.log("info", name)
    return name


# What opens connections to the database.


@shelf.tool
def count_users() -> int:
    """Ask the database, on a thread."""
    return User.objects.count()


@shelf.tool
async def count_users_async() -> int:
    """Ask the database, on the event loop."""
    return await User.objects.acount()


@shelf.tool
def databases_open_meanwhile() -> int:
    """Ask the database, and count the files of it that are open right then."""
    User.objects.count()
    database = str(Path(connection.settings_dict["NAME"]).resolve())
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return [os.path.realpath(link) for link in links].count(database)


# What the process holds.


@shelf.tool
async def process() -> dict[str, int]:
    """Tell the id of this process, and what is going on in it."""
    return {
        "pid": os.getpid(),
        "tasks": len(asyncio.all_tasks()),
        "listeners": len(get_server().changes),
    }


def passing() -> str:
    """Come and go."""
    return "here"


PASSING = Tool.of(passing)


@shelf.tool
async def change() -> None:
    """Put a tool on the shelf."""
    shelf.add(PASSING)
