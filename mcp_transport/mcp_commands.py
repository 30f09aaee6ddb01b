"""``manage.py mcp serve``, which mcp_transport.runner is, ``manage.py mcp list``,
which mcp_transport.listing is, and ``manage.py mcp stdio``: serve the program that
started this one.

That ends with its client: when standard input ends, when nobody reads standard
output, on SIGTERM and on SIGINT. What still runs then has a few seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.management.base import BaseCommand, CommandError
from django.views.decorators.debug import sensitive_variables

from mcp_transport import listing
from mcp_transport.callers import caller_named
from mcp_transport.conf import get_conf, get_server
from mcp_transport.countdown import Countdown
from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.runner import command as runner
from mcp_transport.transports.admission import authenticate
from mcp_transport.transports.duplex import serve
from mcp_transport.transports.stdio import BINDING, StdioTransport, reserve

if TYPE_CHECKING:
    from argparse import _SubParsersAction

TOKEN_VARIABLE = "MCP_TOKEN"
# For how long a message waits where as many requests run as may; for how long
# calls are still answered once the client has no more to say; and when the
# process ends whatever still runs, which is to be within five seconds.
PATIENCE_S = 1
LINGER_S = 3
EXIT_S = 4


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    runner.register(subparsers)
    listing.register(subparsers)
    parser = subparsers.add_parser(
        "stdio",
        help="Serve the program that started this one, over its pipes.",
        description="Who calls is --user, or whose token is in the environment "
        f"variable {TOKEN_VARIABLE}.",
    )
    parser.add_argument(
        "--user", help="The user as whom calls are made, by user name, with all scopes."
    )
    parser.add_argument(
        "--expect-parent",
        metavar="NAME",
        help="Refuse to serve when the executable of the parent process is another.",
    )
    parser.set_defaults(run=stdio)


@sensitive_variables("token")
def stdio(command: BaseCommand, options: dict[str, Any]) -> None:
    if os.name != "posix":
        raise CommandError(
            "manage.py mcp stdio needs a POSIX system, such as Linux or macOS. Here "
            "connect the program to a server over HTTP."
        )
    # Taken away, so that programs which a tool starts do not inherit it.
    token = os.environ.pop(TOKEN_VARIABLE, None)
    expected = options["expect_parent"]
    if expected is not None and (parent := parent_name()) != expected:
        raise CommandError(
            f'The parent process is "{parent}", and --expect-parent allows only '
            f'"{expected}". If it is the one you mean, name it as it is called here.'
        )
    try:
        descriptors = reserve()
    except OSError as error:
        raise CommandError(f"There is nobody to talk to: {error}") from error
    # A signal ends the serving by cancelling it.
    with suppress(asyncio.CancelledError):
        asyncio.run(_serve(options["user"], token, *descriptors))


@sensitive_variables("token")
async def _serve(
    user: str | None, token: str | None, input_fd: int, output_fd: int
) -> None:
    caller = await _caller(user, token)
    countdown = Countdown()

    def begin_exit() -> None:
        countdown.begin(EXIT_S)

    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    assert serving is not None

    def end(*_: object) -> None:
        begin_exit()
        with suppress(RuntimeError):  # the loop was closed: all is over
            loop.call_soon_threadsafe(serving.cancel)

    # Not the loop's own handlers, which wait for a loop that a tool holds up.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    server = get_server()
    transport = StdioTransport(server, input_fd, output_fd, begin_exit)
    try:
        await serve(
            server,
            transport,
            caller,
            BINDING,
            patience_s=PATIENCE_S,
            linger_s=LINGER_S,
        )
    finally:
        begin_exit()
        await server.drain_observers()


@sensitive_variables("token")
async def _caller(user: str | None, token: str | None) -> Caller:
    """Return whom the client acts as. Raises CommandError where that is nobody."""
    if user is not None:
        return await sync_to_async(caller_named)(user)
    if token is not None:
        caller = await authenticate(token)
        if caller is None:
            raise CommandError(
                f"The token in the environment variable {TOKEN_VARIABLE} is not "
                "valid: it is misspelt, expired or revoked, its user is not active, "
                'or no authenticator in MCP["AUTHENTICATORS"] knows it.'
            )
        return caller
    if get_conf().allow_anonymous:
        return ANONYMOUS
    raise CommandError(
        "Nobody is named as whom calls are made. Give --user NAME, or put a token "
        f"into the environment variable {TOKEN_VARIABLE}."
    )


def parent_name() -> str:
    """Return the name of the executable of the process that started this one.

    Raises CommandError where that cannot be seen.
    """
    parent = os.getppid()
    try:
        # On Linux: ps would show at most 15 characters, which a process may change.
        path = os.readlink(f"/proc/{parent}/exe")
    except FileNotFoundError:
        command = ["ps", "-o", "comm=", "-p", str(parent)]
        path = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except PermissionError as error:
        raise CommandError(
            "The parent process belongs to another user, so that --expect-parent "
            "cannot be checked."
        ) from error
    return Path(path).name
