"""A small client that speaks every revision over any Transport.

Spec: 2025-11-25 basic/lifecycle; 2026-07-28 basic/index, basic/patterns/mrtr.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from mcp_transport.protocol.errors import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    ProtocolError,
)
from mcp_transport.protocol.messages import (
    Id,
    Notification,
    Request,
    Response,
    encode_error,
    encode_notification,
    encode_request,
    encode_response,
    parse,
)
from mcp_transport.protocol.peer import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    LOG_LEVEL_KEY,
    SUBSCRIPTION_KEY,
    VERSION_KEY,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.transports.duplex import Transport

Json = dict[str, Any]
Answering = Callable[[Json], Awaitable[Json]]
Notified = Callable[[str, Json], None]

# How often one call may be asked for more before the client gives up.
MAX_ROUNDS = 10
INFO = {"name": "mcp_transport", "version": "1"}


class Client:
    """Results are as they came on the wire; an error is raised as ProtocolError.

    ``elicit`` and ``sample`` are async functions that take the params of the
    server's question and return its answer; ``roots`` are ``{"uri", "name"}``
    objects. What is not given is not declared as a capability.
    ``notified(method, params)`` hears every notification, and
    ``notifications`` keeps them.
    """

    def __init__(
        self,
        transport: Transport,
        revision: Revision,
        *,
        elicit: Answering | None = None,
        sample: Answering | None = None,
        roots: Sequence[Json] | None = None,
        notified: Notified | None = None,
        log_level: str | None = None,
        info: Json | None = None,
    ) -> None:
        self.revision = revision
        self.log_level = log_level
        self.notifications: list[tuple[str, Json]] = []
        self.server: Json = {}
        self._transport = transport
        self._info = info or INFO
        self._notified = notified
        self._ids = count(1)
        self._waiting: dict[Id, asyncio.Future[Json]] = {}
        self._streams: dict[Id, asyncio.Queue[tuple[str, Json] | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: dict[str, Answering] = {}
        if elicit is not None:
            self._answering["elicitation/create"] = elicit
        if sample is not None:
            self._answering["sampling/createMessage"] = sample
        if roots is not None:
            listed = {"roots": list(roots)}
            self._answering["roots/list"] = lambda params: _ready(listed)
        self.capabilities = _capabilities(self._answering, revision)

    async def start(self) -> None:
        """Begin to receive, and shake hands where the revision wants it."""
        await self._transport.start()
        self._spawn(self._receive())
        if "initialize" not in self.revision.requests:
            return
        self.server = await self.request(
            "initialize",
            {
                "protocolVersion": self.revision.name,
                "capabilities": self.capabilities,
                "clientInfo": self._info,
            },
        )
        await self.notify("notifications/initialized")

    async def close(self) -> None:
        await self._transport.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Any message.

    async def request(self, method: str, params: Json | None = None) -> Json:
        """Send one request and return its result, whatever it is."""
        return await self._sent(next(self._ids), method, params or {})

    async def notify(self, method: str, params: Json | None = None) -> None:
        await self._transport.send(encode_notification(method, params or {}))

    async def _sent(self, id: Id, method: str, params: Json) -> Json:
        future = asyncio.get_running_loop().create_future()
        self._waiting[id] = future
        try:
            params = self._with_meta(params)
            await self._transport.send(encode_request(id, method, params))
            result: Json = await future
        except asyncio.CancelledError:
            with suppress(ConnectionError):
                await self.notify("notifications/cancelled", {"requestId": id})
            raise
        finally:
            self._waiting.pop(id, None)
        return result

    def _with_meta(self, params: Json) -> Json:
        if self.revision.stateful:
            return params
        meta = {
            VERSION_KEY: self.revision.name,
            CAPABILITIES_KEY: self.capabilities,
            CLIENT_INFO_KEY: self._info,
        }
        if self.log_level is not None:
            meta[LOG_LEVEL_KEY] = self.log_level
        return {**params, "_meta": {**meta, **params.get("_meta", {})}}

    async def _complete(self, method: str, params: Json) -> Json:
        """Send a request, and answer what the server needs until it is done."""
        result = await self.request(method, params)
        for rounds in count(1):
            if result.get("resultType") != "input_required":
                return result
            if rounds > MAX_ROUNDS:
                break
            more = {}
            if "requestState" in result:
                more["requestState"] = result["requestState"]
            if "inputRequests" in result:
                more["inputResponses"] = {
                    key: await self._answer(asked["method"], asked.get("params", {}))
                    for key, asked in result["inputRequests"].items()
                }
            result = await self.request(method, {**params, **more})
        raise ProtocolError(INTERNAL_ERROR, f"no result after {MAX_ROUNDS} rounds")

    # The methods.

    async def discover(self) -> Json:
        return await self.request("server/discover")

    async def ping(self) -> Json:
        return await self.request("ping")

    async def list_tools(self) -> list[Json]:
        return await self._all("tools/list", "tools")

    async def list_resources(self) -> list[Json]:
        return await self._all("resources/list", "resources")

    async def list_resource_templates(self) -> list[Json]:
        return await self._all("resources/templates/list", "resourceTemplates")

    async def list_prompts(self) -> list[Json]:
        return await self._all("prompts/list", "prompts")

    async def _all(self, method: str, member: str) -> list[Json]:
        page = await self.request(method)
        found: list[Json] = page[member]
        while "nextCursor" in page:
            page = await self.request(method, {"cursor": page["nextCursor"]})
            found = found + page[member]
        return found

    async def call_tool(
        self,
        name: str,
        arguments: Json | None = None,
        *,
        progress_token: Id | None = None,
    ) -> Json:
        params: Json = {"name": name, "arguments": arguments or {}}
        if progress_token is not None:
            params["_meta"] = {"progressToken": progress_token}
        return await self._complete("tools/call", params)

    async def read_resource(self, uri: str) -> Json:
        return await self._complete("resources/read", {"uri": uri})

    async def get_prompt(self, name: str, arguments: Json | None = None) -> Json:
        return await self._complete(
            "prompts/get", {"name": name, "arguments": arguments or {}}
        )

    async def complete(
        self, ref: Json, name: str, value: str, arguments: Json | None = None
    ) -> Json:
        """Ask for suggestions; ``ref`` is as in the spec: ``{"type": ..., ...}``."""
        params: Json = {"ref": ref, "argument": {"name": name, "value": value}}
        if arguments is not None:
            params["context"] = {"arguments": arguments}
        return await self.request("completion/complete", params)

    async def set_log_level(self, level: str) -> None:
        """Ask for log messages of ``level`` and above, from now on."""
        if self.revision.stateful:
            await self.request("logging/setLevel", {"level": level})
        else:
            self.log_level = level

    async def subscribe(self, uri: str) -> None:
        await self.request("resources/subscribe", {"uri": uri})

    async def unsubscribe(self, uri: str) -> None:
        await self.request("resources/unsubscribe", {"uri": uri})

    @asynccontextmanager
    async def listen(
        self, **wanted: Any
    ) -> AsyncIterator[asyncio.Queue[tuple[str, Json] | None]]:
        """Listen for changes; the members of the filter are keyword arguments.

        Gives a queue of (method, params), the acknowledgement first, and None
        when the server ended the stream. Raises ProtocolError, at the end of
        the block, if it did so with an error.
        Spec: 2026-07-28 basic/patterns/subscriptions.
        """
        id = next(self._ids)
        queue = self._streams[id] = asyncio.Queue()

        async def run() -> None:
            try:
                await self._sent(id, "subscriptions/listen", {"notifications": wanted})
            finally:
                queue.put_nowait(None)

        task = asyncio.create_task(run())
        try:
            yield queue
        finally:
            del self._streams[id]
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    # What comes in.

    async def _receive(self) -> None:
        try:
            while (data := await self._transport.receive()) is not None:
                message = parse(data)
                if isinstance(message, Response):
                    self._answered(message)
                elif isinstance(message, Notification):
                    self._hear(message)
                elif isinstance(message, Request):
                    self._spawn(self._reply(message))
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError("the server has gone"))

    def _answered(self, message: Response) -> None:
        future = self._waiting.get(message.id) if message.id is not None else None
        if future is None or future.done():
            return
        if message.error is not None:
            future.set_exception(
                ProtocolError(
                    message.error["code"],
                    message.error["message"],
                    message.error.get("data"),
                )
            )
        else:
            future.set_result(message.result or {})

    def _hear(self, message: Notification) -> None:
        said = (message.method, message.params)
        self.notifications.append(said)
        stream = message.params.get("_meta", {}).get(SUBSCRIPTION_KEY)
        if stream in self._streams:
            self._streams[stream].put_nowait(said)
        if self._notified is not None:
            self._notified(*said)

    async def _reply(self, message: Request) -> None:
        try:
            result = await self._answer(message.method, message.params)
            reply = encode_response(message.id, result)
        except ProtocolError as error:
            reply = encode_error(message.id, error)
        await self._transport.send(reply)

    async def _answer(self, method: str, params: Json) -> Json:
        if method == "ping":
            return {}
        answering = self._answering.get(method)
        if answering is None:
            raise ProtocolError(METHOD_NOT_FOUND, f"this client has no {method}")
        return await answering(params)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _ready(answer: Json) -> Json:
    return answer


def _capabilities(answering: dict[str, Answering], revision: Revision) -> Json:
    """Declare what is answered, as far as the revision has it."""
    declared: Json = {}
    if "elicitation/create" in answering and ("elicitation", "form") in revision.asks:
        url = ("elicitation", "url") in revision.asks
        declared["elicitation"] = {"form": {}, "url": {}} if url else {}
    if "sampling/createMessage" in answering:
        declared["sampling"] = {}
    if "roots/list" in answering:
        declared["roots"] = {}
    return declared
