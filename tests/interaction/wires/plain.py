"""The plain dialect, said as JSON-RPC on this side: its events are messages."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import httpx

from mcp_transport.protocol.framing import SSEEvent
from mcp_transport.protocol.messages import Id
from tests.interaction.wires.http import EVENTS, HTTPWire, Stream, read
from tests.interaction.wires.wire import Place

PATH = "/mcp"


class PlainWire(HTTPWire):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.name = secrets.token_hex(8)
        self.own = Stream()
        self._listening = asyncio.Event()
        self._tokens: dict[Id, Id] = {}

    async def start(self) -> None:
        await self._listen()

    async def send(self, message: bytes) -> None:
        said = read(message)
        if "id" in said and "method" in said:
            self._tokens[said["id"]] = _progress_token(said)
            self._spawn(self._post(message, Stream({said["id"]})))
        else:
            await self._post(message, Stream(set()))

    async def _post(self, message: bytes, stream: Stream) -> None:
        headers = {
            "Content-Type": "application/json",
            "Accept": EVENTS,
            "X-Session-ID": self.name,
        }
        async with self._ask("POST", PATH, headers, message) as response:
            await self._take(response, stream)

    async def _listen(self) -> None:
        """Open the session's stream, as EventSource does: it sets no header."""
        self._listening.clear()
        listening = self._spawn(self._hear_session())
        opened = asyncio.create_task(self._listening.wait())
        await asyncio.wait([listening, opened], return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()

    async def _hear_session(self) -> None:
        headers = {"Accept": EVENTS}
        if self.own.last_event_id:
            headers["Last-Event-ID"] = self.own.last_event_id
        path = f"{PATH}?session={self.name}"
        async with self._ask("GET", path, headers) as response:
            response.raise_for_status()
            self._listening.set()
            await self._take(response, self.own)

    def _hear(self, event: SSEEvent, stream: Stream) -> None:
        message = self._message(event.event, json.loads(event.data), stream)
        if message is not None:
            self._inbox.put_nowait(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def _message(
        self, event: str, told: dict[str, Any], stream: Stream
    ) -> dict[str, Any] | None:
        """Return what an event of the dialect says as JSON-RPC, if anything."""
        kind = told.pop("type", None)
        if event == "progress":
            assert kind == "progress"
            assert stream.awaited is not None
            (request_id,) = stream.awaited
            told = {
                "progressToken": self._tokens[request_id],
                "progress": told.pop("value"),
                **told,
            }
            return {"method": "notifications/progress", "params": told}
        if event == "result":
            assert kind == "complete"
            return told
        if event == "error":
            assert kind == "error"
            ids = {"id": told.pop("id")} if "id" in told else {}
            return {**ids, "error": {"message": told.pop("error"), **told}}
        if event == "done":
            assert told == {}
            return None
        assert event == "message"
        return told

    async def cut(self) -> None:
        await self._stop()

    async def mend(self) -> None:
        """Come back for the session's stream."""
        await self._listen()

    async def close(self) -> None:
        try:
            name = {"X-Session-ID": self.name}
            async with self._ask("DELETE", PATH, name) as response:
                assert response.status_code == httpx.codes.NO_CONTENT
        finally:
            await self._go()


def _progress_token(request: dict[str, Any]) -> Id:
    """Return what progress is told under: what the client chose, or the id."""
    params = request.get("params", {})
    meta = params.get("_meta", {}) if isinstance(params, dict) else {}
    token: Id = meta.get("progressToken", request["id"])
    return token
