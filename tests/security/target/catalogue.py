"""Tools that note that they ran, and that say a text in every way that they have."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mcp_transport import (
    Context,
    EmbeddedResource,
    ResourceLink,
    Shelf,
    Text,
    ToolError,
)
from mcp_transport.engine.errors import ResourceNotFound
from tests.faults.journal import Journal

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
async def mark(call: str) -> str:
    """Note in the journal that this ran.

    Args:
        call: what the run is known by.
    """
    journal = Journal(Path(os.environ["SECURITY_JOURNAL"]))
    journal.write("ran", call=call)
    journal.close()
    return call


@shelf.tool
async def mark_region(
    call: str,
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    """Note in the journal that this ran.

    Args:
        call: what the run is known by.
        region: where; a header repeats it.
    """
    return await mark(call)


# Each text in every place.


@shelf.tool
async def say(ctx: Context, text: str, fail: bool = False) -> dict[str, str]:
    """Say a text by all that comes before the result, and in the result.

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
async def show(ctx: Context, text: str) -> list[Text | ResourceLink | EmbeddedResource]:
    """Show a text in blocks of content, having logged.

    Args:
        text: what to show.
    """
    ctx.log("info", "shown")
    uri = f"x:{text}"
    return [
        Text(text, meta={text: text}),
        ResourceLink(uri, text, title=text, description=text, mime_type=text),
        EmbeddedResource(uri, text=text, mime_type=text),
    ]


@shelf.resource("hex://{digits}")
async def text(ctx: Context, digits: str) -> EmbeddedResource:
    """Return a text, having logged it.

    Args:
        digits: the text, in UTF-8 and hexadecimal digits.
    """
    try:
        said = bytes.fromhex(digits).decode()
    except ValueError:
        raise ResourceNotFound from None
    ctx.log("info", said)
    return EmbeddedResource(f"x:{said}", text=said, mime_type=said)


@shelf.prompt
async def greet(ctx: Context, name: str) -> str:
    """Greet somebody, having logged who it is.

    Args:
        name: who.
    """
    ctx.log("info", name)
    return name


@shelf.tool
async def tick(ctx: Context, count: int, apart_s: float, text: str) -> str:
    """Log the time, again and again.

    Args:
        count: how often.
        apart_s: the seconds between one time and the next.
        text: what to say each time, and to return so often.
    """
    for number in range(count):
        said: dict[str, Any] = {"number": number, "at": time.monotonic(), "text": text}
        ctx.log("info", said)
        await asyncio.sleep(apart_s)
    return text * count
