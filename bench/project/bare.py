"""The server that does nothing: what the machine and the HTTP server cost."""

from __future__ import annotations

import gc

from asgiref.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Scope,
)

REPLY = b'{"jsonrpc":"2.0","id":1,"result":"' + b"x" * 164 + b'"}'
assert len(REPLY) == 200

# As in the project that is compared with this.
gc.collect()
gc.freeze()


async def application(
    scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Read a request's body and answer with two hundred bytes."""
    if scope["type"] != "http":
        raise ValueError(f"no {scope['type']} here")
    while True:
        event = await receive()
        if event["type"] != "http.request" or not event["more_body"]:
            break
    await send(
        HTTPResponseStartEvent(
            type="http.response.start",
            status=200,
            headers=[
                (b"content-type", b"application/json"),
                (b"content-length", b"200"),
            ],
            trailers=False,
        )
    )
    await send(
        HTTPResponseBodyEvent(type="http.response.body", body=REPLY, more_body=False)
    )
