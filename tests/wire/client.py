"""A client as plain as can be: it sends what it is told and hides nothing.

Every message that it gets is held against the official schema of its revision.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx

from mcp_transport.protocol.framing import SSEDecoder, SSEEvent
from mcp_transport.protocol.http import NAMED
from mcp_transport.protocol.revisions import REVISIONS, STATEFUL
from tests.schemas import official
from tests.wire.tokens import ALICE

Json = dict[str, Any]

ALL = tuple(REVISIONS)
LEGACY = tuple(STATEFUL)
MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"
BOTH = "application/json, text/event-stream"
BOUND_S = 30
# None leaves a header out, and several values repeat it.
Headers = Mapping[str, str | bytes | tuple[str, ...] | None]

# All that a client can declare, and what it answers when it is asked.
CAPABILITIES: Json = {
    "elicitation": {"form": {}, "url": {}},
    "sampling": {"context": {}, "tools": {}},
    "roots": {},
}
ANSWERS: Mapping[str, Json] = {
    "elicitation/create": {"action": "accept", "content": {"name": "Ada"}},
    "sampling/createMessage": {
        "role": "assistant",
        "model": "m",
        "content": {"type": "text", "text": "I see."},
    },
    "roots/list": {"roots": [{"uri": "file:///home", "name": "home"}]},
}


class Reply:
    """What came back for one request, while it comes."""

    def __init__(self, client: Client, response: httpx.Response) -> None:
        self.response = response
        self.raw = b""
        self.last_event_id = ""
        self._client = client
        self._pieces = response.aiter_bytes()
        self._decoder = SSEDecoder()
        self._events: list[SSEEvent] = []

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def is_stream(self) -> bool:
        return self.response.headers["content-type"] == "text/event-stream"

    async def piece(self) -> bytes | None:
        """Return the next piece of the body, or None at its end."""
        async with asyncio.timeout(BOUND_S):
            piece = await anext(self._pieces, None)
        self.raw += piece or b""
        return piece

    async def event(self) -> SSEEvent | None:
        """Return the next event, or None at the end of the stream."""
        async with asyncio.timeout(BOUND_S):
            while not self._events:
                piece = await self.piece()
                if piece is None:
                    return None
                self._events = self._decoder.feed(piece)
        event = self._events.pop(0)
        self.last_event_id = event.id
        return event

    async def message(self) -> Json:
        """Return the next message of a stream, which must have one more."""
        while True:
            event = await self.event()
            assert event is not None, "the stream ended"
            if event.data:
                return self._client.hear(json.loads(event.data))

    async def messages(self) -> AsyncIterator[Json]:
        """Yield all messages, those of a stream and those of a JSON reply."""
        if self.is_stream:
            while (event := await self.event()) is not None:
                if event.data:
                    yield self._client.hear(json.loads(event.data))
            return
        while await self.piece() is not None:
            pass
        for message in self._client.unbatched(json.loads(self.raw)):
            yield self._client.hear(message)


class Client:
    """Speaks one revision to one endpoint.

    ``asked`` maps the ids of its requests to their methods, and ``heard`` holds
    the names of the definitions of what it got.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        revision: str,
        *,
        token: str | None = ALICE,
        encoding: str | None = None,
        capabilities: Json = CAPABILITIES,
        log_level: str | None = "info",
    ) -> None:
        self.http = http
        self.revision = revision
        self.stateful = revision in STATEFUL
        self.token = token
        self.encoding = encoding
        self.capabilities = capabilities
        self.log_level = log_level
        self.session: str | None = None
        self.asked: dict[Any, str] = {}
        self.heard: set[str] = set()
        self._ids = count(1)

    def hear(self, message: Json) -> Json:
        schema = official(self.revision)
        if "error" in message and "id" not in message:
            # Who cannot be read has no revision.
            self.heard.add(official(MODERN).check_error(message))
        else:
            self.heard.add(schema.check_message(message, self.asked))
        return message

    def unbatched(self, said: Any) -> list[Json]:
        """Return the messages of a body, which may be a batch."""
        if not isinstance(said, list):
            return [said]
        official(self.revision).check("JSONRPCBatchResponse", said)
        self.heard.add("JSONRPCBatchResponse")
        return said

    # What to send.

    def message(self, method: str, params: Json | None = None, **more: Any) -> Json:
        """Return a request, with all that the revision wants in it."""
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, **more}
        params = dict(params or {})
        if not self.stateful:
            params["_meta"] = {**self.meta(), **params.get("_meta", {})}
        if params:
            message["params"] = params
        self.asked[message["id"]] = method
        return message

    def notification(self, method: str, params: Json | None = None) -> Json:
        message: Json = {"jsonrpc": "2.0", "method": method}
        return {**message, "params": params} if params else message

    def meta(self) -> Json:
        meta = {
            META + "protocolVersion": self.revision,
            META + "clientCapabilities": self.capabilities,
            META + "clientInfo": {"name": "wire", "version": "1"},
        }
        if self.log_level is not None:
            meta[META + "logLevel"] = self.log_level
        return meta

    def headers(self, message: Any = None) -> dict[str, str]:
        """Return the headers that go with a message."""
        headers = {"Accept": BOTH}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.encoding is not None:
            headers["Accept-Encoding"] = self.encoding
        if self.session is not None:
            headers["Mcp-Session-Id"] = self.session
            headers["MCP-Protocol-Version"] = self.revision
        if not self.stateful:
            headers["MCP-Protocol-Version"] = self.revision
            headers |= mirrored(message)
        if message is not None:
            headers["Content-Type"] = "application/json"
        return headers

    # Sending it.

    @asynccontextmanager
    async def open(
        self,
        message: Any,
        *,
        verb: str = "POST",
        path: str = "/mcp",
        headers: Headers | None = None,
    ) -> AsyncIterator[Reply]:
        """Send a body and give its reply."""
        sent = {**self.headers(message), **(headers or {})}
        content = message if isinstance(message, bytes | None) else encoded(message)
        async with self.http.stream(
            verb,
            path,
            content=content,
            headers=pairs(sent),
        ) as response:
            yield Reply(self, response)

    async def send(self, message: Any, **options: Any) -> httpx.Response:
        """Send a body and return the whole response, unexamined."""
        async with self.open(message, **options) as reply, asyncio.timeout(BOUND_S):
            await reply.response.aread()
            return reply.response

    async def get(self, last_event_id: str | None = None) -> httpx.Response:
        """Ask for a stream, and return what refuses it."""
        return await self.send(
            None, verb="GET", headers={"Last-Event-ID": last_event_id}
        )

    def stream(self, last_event_id: str | None = None) -> Any:
        """Open the stream of the session, or resume one."""
        return self.open(None, verb="GET", headers={"Last-Event-ID": last_event_id})

    async def connect(self) -> Json | None:
        """Shake hands where the revision has it; return the server's result."""
        if not self.stateful:
            return None
        params = {
            "protocolVersion": self.revision,
            "capabilities": self.capabilities,
            "clientInfo": {"name": "wire", "version": "1"},
        }
        async with self.open(self.message("initialize", params)) as reply:
            (message,) = [message async for message in reply.messages()]
        self.session = reply.response.headers["mcp-session-id"]
        ready = await self.send(self.notification("notifications/initialized"))
        assert (ready.status_code, ready.content) == (202, b"")
        result: Json = message["result"]
        return result

    async def request(self, method: str, params: Json | None = None) -> Json:
        """Return the response to a request, answering what is asked meanwhile."""
        message = self.message(method, params)
        async with self.open(message) as reply:
            said = [one async for one in self.attended(reply)]
        assert said[-1]["id"] == message["id"]
        return said[-1]

    async def attended(self, reply: Reply) -> AsyncIterator[Json]:
        """Yield all messages of a reply; questions among them are answered."""
        async for message in reply.messages():
            if "id" in message and "method" in message:
                await self.answer(message)
            yield message

    async def answer(self, question: Json) -> None:
        """Answer a request of the server's, by a POST of its own."""
        result = ANSWERS[question["method"]]
        response = await self.send(
            {"jsonrpc": "2.0", "id": question["id"], "result": result}
        )
        assert (response.status_code, response.content) == (202, b"")

    async def result(self, method: str, params: Json | None = None) -> Json:
        """Return the final result, going as many rounds as it takes."""
        message = await self.request(method, params)
        while (
            not self.stateful
            and message.get("result", {}).get("resultType") == "input_required"
        ):
            asked = message["result"]["inputRequests"]
            message = await self.request(
                method,
                {
                    **(params or {}),
                    "requestState": message["result"]["requestState"],
                    "inputResponses": {
                        key: ANSWERS[question["method"]]
                        for key, question in asked.items()
                    },
                },
            )
        assert "result" in message, message
        result: Json = message["result"]
        return result

    async def call(self, tool: str, **arguments: Any) -> Json:
        """Return the result of a tool."""
        return await self.result("tools/call", {"name": tool, "arguments": arguments})

    async def text(self, tool: str, **arguments: Any) -> str:
        """Return the text of a tool's first block."""
        text: str = (await self.call(tool, **arguments))["content"][0]["text"]
        return text


def encoded(message: Any) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()


def pairs(headers: Headers) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for name, value in headers.items():
        values = value if isinstance(value, tuple) else (value,)
        for one in values:
            if one is not None:
                found.append(
                    (name.encode(), one if isinstance(one, bytes) else one.encode())
                )
    return found


def mirrored(message: Any) -> dict[str, str]:
    """Return the headers that repeat a message."""
    if not isinstance(message, dict) or "id" not in message or "method" not in message:
        return {}
    headers = {"Mcp-Method": message["method"]}
    named = NAMED.get(message["method"])
    if named is not None:
        headers["Mcp-Name"] = header_value(message["params"][named])
    return headers


def header_value(text: str) -> str:
    """Return a value as a header carries it: in base64 where it must be."""
    if text.isascii() and text.isprintable() and text == text.strip():
        return text
    return f"=?base64?{b64encode(text.encode()).decode()}?="
