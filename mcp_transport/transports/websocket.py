"""MCP over WebSocket, as a Channels consumer: a door that no revision defines.

Each text frame carries one JSON-RPC message, both ways, under the subprotocol
``mcp``. There are no headers after the handshake, so the rules are those of
stdio: the first message chooses the era, a session is the connection itself,
answers are told apart by their ids, and ``notifications/cancelled`` cancels.

Spec: 2026-07-28 basic/transports #custom-transports, basic/transports/stdio;
RFC 6455 sections 4.2.2, 5.6 and 7.4.2.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from typing import Any

from channels.consumer import AsyncConsumer
from django.views.decorators.debug import sensitive_variables

from mcp_transport.conf import get_conf, get_server
from mcp_transport.connections import close_shared_connections
from mcp_transport.engine.caller import ANONYMOUS, Caller, Credential
from mcp_transport.engine.exchange import Binding
from mcp_transport.guards.bearer import MalformedCredentials, credentials
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.revisions import STATEFUL, STATELESS
from mcp_transport.transports.admission import (
    authenticate,
    may_be_anonymous,
    redeem,
    why_foreign,
)
from mcp_transport.transports.duplex import Flooded, serve
from mcp_transport.transports.requests import joined

logger = logging.getLogger("mcp_transport")

BINDING = Binding("websocket", STATEFUL, STATELESS)
SUBPROTOCOL = "mcp"
# Browsers can set no header of a handshake but this list.
TOKEN_PREFIX = "token-"
TICKET_PREFIX = "ticket-"

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Reason(IntEnum):
    """Why the server ends a connection: the code of its close frame.

    RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications; of the others
    daphne can send none but 1000.
    """

    NOT_TEXT = 4400
    """A binary frame came; messages are text."""
    NO_CREDENTIAL = 4401
    """There is no valid credential, or no longer, or it grants something else now."""
    TOO_LARGE = 4413
    """A message was longer than ``max_body_bytes``."""
    TOO_MANY = 4429
    """The client went on although more than ``max_in_flight`` requests ran."""
    FAILED = 4500
    """The server cannot go on: it failed, and its log says how, or it stops."""


class Visitor:
    """Who opens a connection, by what the handshake says."""

    __slots__ = (
        "_address",
        "_headers",
        "_known",
        "_offered",
        "_redeemed",
        "_ticket",
        "_token",
    )

    @sensitive_variables()
    def __init__(self, scope: Mapping[str, Any]) -> None:
        headers = joined(scope["headers"])
        authorization = headers.pop("authorization", None)
        self._headers = headers
        self._offered: list[str] = scope["subprotocols"]
        self._address: str | None = (scope.get("client") or (None,))[0]
        self._token = _token(authorization, self._offered)
        self._ticket = _among(self._offered, TICKET_PREFIX)
        self._redeemed: Credential | None = None
        self._known: Caller | None = None

    async def is_welcome(self) -> bool:
        """Tell whether it comes from where it may, and speaks what is spoken here."""
        return (
            BINDING.name in get_conf().transports
            and SUBPROTOCOL in self._offered
            and await why_foreign(self._headers) is None
        )

    async def caller(self) -> Caller | None:
        """Return who it is, or None for nobody who is let in. A token comes before
        a ticket, which is spent by this.
        """
        if self._token is None and self._ticket is not None:
            self._redeemed = await redeem(self._ticket)
        self._known = await self._identify()
        return self._known

    async def may_stay(self) -> bool:
        """Tell whether the credential still grants what it did. It is asked with
        each message, so that a token has an end here as it has with HTTP.
        """
        now = await self._identify()
        return self._known is not None and self._known.same_rights(now)

    @sensitive_variables()
    async def _identify(self) -> Caller | None:
        if self._token:
            return await authenticate(self._token)
        if self._redeemed is not None:
            return await self._redeemed.caller()
        if (
            self._token is None
            and self._ticket is None
            and may_be_anonymous(self._address, self._headers.get("host"))
        ):
            return ANONYMOUS
        return None


@sensitive_variables()
def _token(authorization: str | None, offered: list[str]) -> str | None:
    """Return the token: that of the header, else that among the subprotocols.

    None means that there is none, and an empty one that it cannot be read. The
    query string, which servers write to their logs, is not looked at.
    """
    try:
        token = credentials(authorization)
        among = _among(offered, TOKEN_PREFIX)
        if token is None and among is not None:
            token = credentials(f"Bearer {among}")
    except MalformedCredentials:
        return ""
    return token


def _among(offered: list[str], prefix: str) -> str | None:
    """Return what follows ``prefix`` among the subprotocols. Of two, neither is good:
    they are joined to what is no credential.
    """
    found = [e.removeprefix(prefix) for e in offered if e.startswith(prefix)]
    return ",".join(found) if found else None


class Socket:
    """An open WebSocket as a Transport."""

    def __init__(
        self, receive: Receive, send: Send, visitor: Visitor, max_bytes: int
    ) -> None:
        self._receive = receive
        self._send = send
        self._visitor = visitor
        self._max_bytes = max_bytes
        self._reason = Reason.FAILED
        self._open = True

    async def start(self) -> None:
        """It was accepted before: who is turned away after that is told why."""

    async def receive(self) -> bytes | None:
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            self._open = False
            return None
        text: str | None = event.get("text")
        if text is None:
            self.leave(Reason.NOT_TEXT)
        elif len(message := text.encode()) > self._max_bytes:
            self.leave(Reason.TOO_LARGE)
        elif not await self._visitor.may_stay():
            self.leave(Reason.NO_CREDENTIAL)
        else:
            return message
        return None

    async def send(self, message: bytes) -> None:
        try:
            await self._send({"type": "websocket.send", "text": message.decode()})
        except OSError as error:
            # ASGI's word for a client that has gone.
            self._open = False
            raise ConnectionError("the client has gone") from error
        finally:
            # The call that this answers may have opened some.
            close_shared_connections()

    def error(self, error: ProtocolError) -> None:
        if isinstance(error, Flooded):
            self.leave(Reason.TOO_MANY)

    def leave(self, reason: Reason) -> None:
        """Remember why the connection is about to end."""
        self._reason = reason

    async def close(self) -> None:
        """Say why, to a client that is still there. Once is enough."""
        if self._open:
            self._open = False
            try:
                await self._send(
                    {"type": "websocket.close", "code": self._reason.value}
                )
            except OSError:
                logger.info("a client had gone before it was told why")
        close_shared_connections()


class MCPConsumer(AsyncConsumer):
    """Serves one WebSocket, on its own or in a ``URLRouter`` of a project.

    A foreign Host or Origin, or no subprotocol ``mcp``, is refused before the
    connection is accepted: 403. Whatever ends it later has a ``Reason``.

    Channels' own dispatch, which closes database connections on the one thread
    of all sync code before each message, would cost more than the protocol.
    """

    @sensitive_variables()
    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        visitor = Visitor(scope)
        if not await visitor.is_welcome():
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        max_bytes = get_conf().limits.max_body_bytes
        socket = Socket(receive, send, visitor, max_bytes)
        try:
            caller = await visitor.caller()
            if caller is None:
                socket.leave(Reason.NO_CREDENTIAL)
            else:
                await serve(get_server(), socket, caller, BINDING)
        except Exception:
            logger.exception("a WebSocket failed")
        finally:
            await socket.close()
