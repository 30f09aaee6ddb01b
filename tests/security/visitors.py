"""Those who come with what is another's, and all that they have heard."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from deploy.servers import HOST
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.revision import Revision
from tests.faults.verdict import require
from tests.interaction.guest import Guest
from tests.interaction.wires.http import EVENTS
from tests.interaction.wires.streamable import StreamableWire
from tests.interaction.wires.wire import STEP_S, Wire
from tests.security.table import (
    BEYOND,
    BEYOND_SCOPE,
    OWN,
    PARAMS,
    Ask,
    Row,
    answer,
    cursor,
    state,
)
from tests.security.things import SAMPLING, SHARED, UNKNOWN, Things

Json = dict[str, Any]


@dataclass(frozen=True)
class Visitor:
    """``token`` names one of the project's, or none. ``is_known`` tells whether it
    is a caller in its own right, and ``is_narrow`` whether its scopes are few.
    """

    name: str
    token: str | None
    is_known: bool
    is_narrow: bool = False
    host: str = HOST


VISITORS = (
    Visitor("bob", "bob", True),
    # The same user, by a token with other scopes.
    Visitor("narrow", "narrow", True, is_narrow=True),
    # Nobody, who is let in from this very machine, and only from here.
    Visitor("anonymous", None, True),
    Visitor("stranger", None, False, host="mcp.example"),
    Visitor("revoked", "revoked", False),
    Visitor("expired", "expired", False),
)


class Visit:
    """One visitor at one door of HTTP, from an address of loopback of its own.

    ``mine`` are its own things, and ``heard`` is every byte that came back.
    """

    def __init__(
        self, visitor: Visitor, token: str, origin: str, address: str, mine: Things
    ) -> None:
        self.heard = bytearray()
        self.cells = 0
        self._visitor = visitor
        self._mine = mine
        credential = {"Authorization": f"Bearer {token}"} if token else {}
        port = httpx.URL(origin).port
        self._http = httpx.AsyncClient(
            base_url=origin,
            headers={**credential, "Host": f"{visitor.host}:{port}"},
            transport=httpx.AsyncHTTPTransport(local_address=address),
            timeout=STEP_S,
        )

    async def tries(self, row: Row, theirs: Things) -> None:
        """Raises Failed for any answer but the one in the table."""
        self.cells += 1
        reply = await self._send(row.make(theirs, self._mine))
        fate = f"{self._visitor.name} by {row.name}"
        expected = row.answer(self._visitor.is_known, self._visitor.is_narrow)
        status, _, body = reply
        answered = json.loads(body)["error"]["code"] if expected < 0 else status
        require(answered == expected, f"{fate}: {status} {body!r}, not {expected}")
        unknown = await self._send(row.make(UNKNOWN, self._mine))
        require(reply == unknown, f"{fate}: {reply}, but {unknown} for what never was")

    async def _send(self, ask: Ask) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body, as far as they do not differ by chance;
        of a stream all that comes at once is heard.
        """
        async with self._http.stream(
            ask.verb, ask.path, headers=ask.headers, content=ask.body
        ) as response:
            self.heard += repr(response.headers.multi_items()).encode()
            headers = [
                (name, value)
                for name, value in response.headers.items()
                if name not in ("date", "mcp-session-id")
            ]
            if response.headers.get("content-type") == EVENTS:
                self.heard += await anext(response.aiter_bytes())
                return response.status_code, headers, b""
            body = await response.aread()
            self.heard += body
            return response.status_code, headers, body

    async def close(self) -> None:
        await self._http.aclose()


class Talk:
    """One visitor in a conversation of its own, with what it heard of another's."""

    def __init__(self, visitor: Visitor, wire: Wire, revision: Revision) -> None:
        self.cells = 0
        self._visitor = visitor
        self._revision = revision
        self.guest = Guest(wire, revision)

    async def begin(self) -> Things:
        """Return its own things."""
        await self.guest.start()
        wire = self.guest.wire
        session = wire.session if isinstance(wire, StreamableWire) else None
        return replace(UNKNOWN, session=session or UNKNOWN.session)

    @property
    def heard(self) -> bytes:
        return json.dumps(self.guest.heard(lambda _: True)).encode()

    async def tries_all(self, theirs: Things) -> None:
        """Raises Failed for any answer but the one in the table."""
        for name, code in OWN.items():
            attempt = self._attempts().get(name)
            if attempt is None:
                continue
            self.cells += 1
            if self._visitor.is_narrow and name in BEYOND:
                code = BEYOND_SCOPE
            fate = f"{self._visitor.name} in their own conversation by {name}"
            answered, unknown = await attempt(theirs), await attempt(UNKNOWN)
            require(answered == unknown, f"{fate}: {answered}, but else {unknown}")
            require(
                (answered and answered[0]) == code, f"{fate}: {answered}, not {code}"
            )

    def _attempts(
        self,
    ) -> Mapping[str, Callable[[Things], Awaitable[tuple[int, str] | None]]]:
        """Return what its revision has a word for."""
        methods, guest = self._revision.requests, self.guest

        async def cancel(theirs: Things) -> None:
            params = {"requestId": theirs.request}
            await guest.notify("notifications/cancelled", params)

        async def answers(theirs: Things) -> None:
            await guest.says(answer(theirs))

        attempts: dict[str, Callable[[Things], Awaitable[tuple[int, str] | None]]] = {
            "cancel": cancel,
            "cursor": lambda theirs: self._error("tools/list", cursor(theirs)),
        }
        if self._revision.stateful:
            level = "logging/setLevel"
            attempts["answer"] = answers
            attempts["level"] = lambda _: self._error(level, PARAMS[level])
        elif SAMPLING in self._revision.asks:
            attempts["state"] = lambda theirs: self._error("tools/call", state(theirs))
        if "resources/unsubscribe" in methods:
            gone = {"uri": SHARED}
            attempts["unsubscribe"] = lambda _: self._error(
                "resources/unsubscribe", gone
            )
        return attempts

    async def _error(self, method: str, params: Json) -> tuple[int, str] | None:
        """Ask, and return the error that answers, if one does."""
        try:
            await self.guest.request(method, params)
        except ProtocolError as error:
            return error.code, error.message
        return None

    async def close(self) -> None:
        await self.guest.close()
