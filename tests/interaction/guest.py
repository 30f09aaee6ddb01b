"""The client of the matrix: the project's own, with an ear on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.messages import Id, encode_request
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, REVISIONS
from mcp_transport.transports.client import Client
from tests.interaction.wires.wire import Wire
from tests.schemas import directory, official

Json = dict[str, Any]
Wanted = Callable[[Json], bool]

# How long anything may take that is to happen. Nothing waits this long.
BOUND_S = 20
LOOK_AGAIN_S = 0.01


class Witness:
    """A Transport around a wire: it keeps all that is heard, and holds it against
    the official schema of the revision, where the schemas are on this machine.
    """

    def __init__(self, wire: Wire, revision: Revision) -> None:
        self.heard: list[Json] = []
        self.news = asyncio.Event()
        self._wire = wire
        self._schema = None
        if revision.name in REVISIONS and directory() is not None:
            self._schema = official(revision.name)
        self._asked: dict[Id, str] = {}
        self._objections: list[BaseException] = []

    async def start(self) -> None:
        await self._wire.start()

    async def send(self, message: bytes) -> None:
        self._note(message)
        await self._wire.send(message)

    def _note(self, sent: bytes) -> None:
        """Remember which method each request is of."""
        try:
            said = json.loads(sent)
        except ValueError:
            return  # not a message, on purpose
        for message in said if isinstance(said, list) else [said]:
            if isinstance(message, dict) and {"id", "method"} <= message.keys():
                self._asked[message["id"]] = message["method"]

    async def receive(self) -> bytes | None:
        data = await self._wire.receive()
        if data is not None:
            said = json.loads(data)
            for message in said if isinstance(said, list) else [said]:
                self._hear(message)
        self.news.set()
        return data

    def _hear(self, message: Json) -> None:
        self.heard.append(message)
        try:
            self._check(message)
        except (AssertionError, KeyError, pytest.fail.Exception) as objection:
            self._objections.append(objection)

    def _check(self, message: Json) -> None:
        if self._schema is None:
            return
        if "error" in message and "id" not in message:
            # Who cannot be read has no revision.
            official(LATEST.name).check_error(message)
        else:
            self._schema.check_message(message, self._asked)

    def vouch(self) -> None:
        """Raises the first objection to what was heard."""
        if self._objections:
            raise self._objections[0]

    async def close(self) -> None:
        await self._wire.close()

    def error(self, error: ProtocolError) -> None:
        self._wire.error(error)


class Guest(Client):
    """``wire`` is what it speaks over, to be cut or to be sent anything.

    ``capabilities`` are declared instead of what is answered.
    """

    def __init__(
        self,
        wire: Wire,
        revision: Revision,
        *,
        capabilities: Json | None = None,
        **options: Any,
    ) -> None:
        self.wire = wire
        self._witness = Witness(wire, revision)
        super().__init__(self._witness, revision, **options)
        if capabilities is not None:
            self.capabilities = capabilities

    async def text(self, tool: str, **arguments: Any) -> str:
        """Return the text of a tool that does not fail."""
        result = await self.call_tool(tool, arguments)
        assert not result.get("isError"), result
        return text_of(result)

    async def fails(self, method: str, params: Json | None = None) -> ProtocolError:
        """Return the error that answers a request."""
        try:
            result = await self.request(method, params)
        except ProtocolError as error:
            return error
        raise AssertionError(f"{method} did not fail: {result}")

    async def close(self) -> None:
        """Raises what was wrong with anything that was heard."""
        await super().close()
        self._witness.vouch()

    # What is sent as it is.

    def message(self, id: Id, method: str, params: Json | None = None) -> Json:
        """Return a request with all that the revision wants in it."""
        encoded = encode_request(id, method, self._with_meta(params or {}))
        message: Json = json.loads(encoded)
        return message

    def call(self, id: Id, tool: str, **arguments: Any) -> Json:
        return self.message(id, "tools/call", {"name": tool, "arguments": arguments})

    async def says(self, message: object) -> None:
        """Send anything that JSON can say."""
        await self._witness.send(json.dumps(message).encode())

    async def babbles(self, data: bytes) -> None:
        """Send what is no JSON."""
        await self._witness.send(data)

    # What is heard.

    def heard(self, wanted: Wanted) -> list[Json]:
        return [message for message in self._witness.heard if wanted(message)]

    async def hears(self, wanted: Wanted, times: int = 1) -> list[Json]:
        """Wait for so many messages; return them, and more if there are."""
        while len(found := self.heard(wanted)) < times:
            self._witness.news.clear()
            await self._witness.news.wait()
        return found

    async def refused(self) -> int:
        """Wait until the door turns something down; return its code."""
        while not self.wire.refused:
            self._witness.news.clear()
            await self._witness.news.wait()
        return self.wire.refused[0]

    def told(self, method: str) -> list[Json]:
        """Return the params of the notifications so far."""
        return [params for name, params in self.notifications if name == method]

    def progress(self) -> list[float]:
        return [said["progress"] for said in self.told("notifications/progress")]


class Mark:
    """A file by which a test and a call that it began meet, in any process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def let_go(self) -> None:
        self._path.touch()

    async def begun(self) -> None:
        await self._any("begun")

    async def fate(self) -> str:
        """Wait for the end of the call's wait: ``finished`` or ``cancelled``."""
        return await self._any("finished", "cancelled")

    async def _any(self, *names: str) -> str:
        while True:
            for name in names:
                if self._path.with_suffix(f".{name}").exists():
                    return name
            await asyncio.sleep(LOOK_AGAIN_S)


def text_of(result: Json) -> str:
    text: str = result["content"][0]["text"]
    return text


def method(name: str) -> Wanted:
    return lambda message: message.get("method") == name


def answer_to(id: Id) -> Wanted:
    """A response, be it a result or an error."""
    return lambda message: "method" not in message and message.get("id") == id


def error(code: int) -> Wanted:
    return lambda message: message.get("error", {}).get("code") == code
