"""Each way in, as a transport for httpx: in this process, or over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from mcp_transport.asgi import Application

BOUND_S = 20
LOOPBACK = ("127.0.0.1", 50_000)


class ASGIDoor(httpx.AsyncBaseTransport):
    """An application in this process, whose replies come piece by piece.

    Closing a response before its end is what a client that goes away does.
    """

    def __init__(
        self, application: Application, client: tuple[str, int] | None = LOOPBACK
    ) -> None:
        self._application = application
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = b"".join([part async for part in request.stream])  # type: ignore[union-attr]
        call = _Call(self._application, self._scope(request), body)
        async with asyncio.timeout(BOUND_S):
            try:
                started = await call.next()
            except asyncio.CancelledError:
                await call.aclose()
                raise
        return httpx.Response(
            started["status"], headers=started["headers"], stream=call
        )

    def _scope(self, request: httpx.Request) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self._client,
            "server": ("127.0.0.1", 80),
        }


class _Call(httpx.AsyncByteStream):
    """One request on its way through an application."""

    def __init__(
        self, application: Application, scope: dict[str, Any], body: bytes
    ) -> None:
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._body: list[dict[str, Any]] = [{"type": "http.request", "body": body}]
        self._gone = asyncio.Event()
        self._task = asyncio.create_task(self._run(application, scope))

    async def _run(self, application: Application, scope: dict[str, Any]) -> None:
        try:
            await application(scope, self._receive, self._events.put)
        finally:
            self._events.put_nowait({"type": "ended"})

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            return self._body.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> dict[str, Any]:
        event = await self._events.get()
        if event["type"] == "ended":
            await self._task
            raise AssertionError("the application ended before its reply")
        return event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            event = await self.next()
            more = event.get("more_body", False)
            yield event.get("body", b"")

    async def aclose(self) -> None:
        self._gone.set()
        async with asyncio.timeout(BOUND_S):
            await self._task
