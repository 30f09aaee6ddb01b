"""Where a process dies: a request names the point by its id, such as "effect.7".

claim    its id is claimed, and nothing has run
effect   the tool has had its effect, and nobody has heard of it
append   its response is in the log, and nobody has read it there
send     its response has gone out to the client
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mcp_transport.asgi import Application
from mcp_transport.protocol.messages import Id

Run = Callable[..., Awaitable[Any]]

POINTS = ("claim", "effect", "append", "send")
# Where the ids stand among the arguments of the scripts; see their first lines.
CLAIMED = 7
SETTLED = 8
# Until what the server's transport was given is in the socket.
WRITTEN_S = 0.05


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_effect(request_id: Id) -> None:
    if str(request_id).startswith("effect."):
        die()


def dying_after_scripts(run: Run) -> Run:
    """Return ``Commands.run`` that dies behind a claim, or the append of a response."""

    async def dying(name: str, *args: Any, **options: Any) -> Any:
        reply = await run(name, *args, **options)
        if (
            name == "get"
            and isinstance(reply, list)
            and _names("claim", args[CLAIMED:])
        ):
            die()
        if name == "append" and reply is not None:
            settled = args[SETTLED + 1 : SETTLED + 1 + args[SETTLED]]
            if _names("append", settled):
                die()
        return reply

    return dying


def _names(point: str, ids: Sequence[bytes]) -> bool:
    return any(id.startswith(b'"%b.' % point.encode()) for id in ids)


def dying_after_send(application: Application) -> Application:
    """Return an application that dies behind a response."""

    async def dying(scope: Any, receive: Any, send: Any) -> None:
        async def sending(event: Any) -> None:
            await send(event)
            body = event.get("body", b"")
            if b'"id":"send.' in body and b'"result"' in body:
                await asyncio.sleep(WRITTEN_S)
                die()

        await application(scope, receive, sending)

    return dying
