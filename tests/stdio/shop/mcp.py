"""Tools that misbehave as tools do: they print, start programs and get stuck."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import connection

from mcp_transport import Context, Elicit, tool
from tests.stdio.shop import marks

FLOOD = "import sys; sys.stdout.write('flood ' * 200_000)"


@tool
def whoami(ctx: Context) -> str:
    """Name the caller and its user."""
    user = ctx.user.get_username() if ctx.user else "nobody"
    return f"{ctx.caller.subject} {user}"


@tool(permission="auth.delete_user")
def close_shop() -> str:
    """Need a permission."""
    return "Closed"


@tool
def echo(text: str) -> str:
    """Return the text."""
    return text


@tool
async def echo_at_once(text: str) -> str:
    """Return the text, without a thread."""
    return text


@tool
def repeat(times: int) -> str:
    """Return a long text."""
    return "long " * times


@tool
def chatter() -> str:
    """Write to standard output in every way that Python has."""
    print("printed")
    sys.__stdout__.write("written\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    os.write(1, b"by number\n")
    logging.getLogger("shop").info("logged")
    subprocess.run(["echo", "by a child"], check=True)
    return "said"


@tool
def flood() -> str:
    """Let a child process write a megabyte to its standard output."""
    subprocess.run([sys.executable, "-c", FLOOD], check=True)
    return "flooded"


@tool
def child_reads() -> str:
    """Return what a child process finds on its standard input."""
    return repr(subprocess.run(["cat"], check=True, capture_output=True).stdout)


@tool
def child_knows(name: str) -> str:
    """Return what a child process finds in its environment."""
    ran = subprocess.run(["printenv", name], capture_output=True, text=True)
    return repr(ran.stdout)


@tool
def ask_for_line() -> str:
    """Read from standard input."""
    try:
        return input()
    except EOFError:
        return "nothing to read"


@tool
def take(seconds: float) -> str:
    """Hold a thread."""
    marks.leave("taking")
    time.sleep(seconds)
    return "took"


@tool
async def hold_up(seconds: float) -> str:
    """Hold the event loop, as no async tool should."""
    marks.leave("holding")
    time.sleep(seconds)  # noqa: ASYNC251
    return "held"


@tool
async def wait() -> str:
    """Wait until it is cancelled, and say so."""
    marks.leave("waiting")
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        marks.leave("cancelled")
    return "never"


@tool
async def cling() -> str:
    """Be told to end, and go on."""
    marks.leave("clinging")
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue


@tool
def ask(ctx: Context) -> str:
    """Ask the user."""
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    return str(ctx.ask(it=Elicit("Your name?", schema))["it"]["content"]["name"])


@tool
async def count_users() -> int:
    """Use the database from the event loop."""
    return await get_user_model().objects.acount()


@tool
async def left_open() -> bool:
    """Tell whether the event loop's thread for the database has a connection."""
    return await sync_to_async(lambda: connection.connection is not None)()
