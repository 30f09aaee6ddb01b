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
from mcp_transport.engine.caller import Credential
from mcp_transport.engine.exchange import Binding
from mcp_transport.engine.observing import Connection, tell_refused
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.guards.bearer import MalformedCredentials, credentials
from mcp_transport.protocol.errors import ProtocolError, TooManyRequests
from mcp_transport.protocol.revisions import STATEFUL, STATELESS
from mcp_transport.transports.admission import (
    NOBODY,
    TICKET_PREFIX,
    Bearer,
    Ticket,
    address_behind,
    admit,
    may_be_anonymous,
    why_foreign,
)
from mcp_transport.transports.duplex import Flooded, GoingAway, serve
from mcp_transport.transports.open_streams import (
    Ending,
    Full,
    OpenStream,
    StreamEnded,
    get_open_streams,
)
from mcp_transport.transports.requests import joined

logger = logging.getLogger("mcp_transport")

BINDING = Binding("websocket", STATEFUL, STATELESS)
SUBPROTOCOL = "mcp"
# Browsers can set no header of a handshake but this list.
TOKEN_PREFIX = "token-"

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


# What is added to an HTTP status to have the close code that means the same.
CODES_FROM = 4000


class Reason(IntEnum):
    """Why the server ends a connection: the code of its close frame.

    RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications; of the others
    daphne by itself can send none but 1000.
    """

    GOING_AWAY = 1001
    """The server stops; only one that can send this code stops so."""
    NOT_TEXT = 4400
    """A binary frame came; messages are text."""
    NO_CREDENTIAL = 4401
    """There is no valid credential, or no longer, or it grants something else now."""
    DISMISSED = 4410
    """An administrator has ended it: do not come back by yourself."""
    TOO_LARGE = 4413
    """A message was longer than ``max_body_bytes``."""
    TOO_MANY = 4429
    """The client went on although more than ``max_in_flight`` requests ran, has as
    many connections as it may, or failed to be let in too often.
    """
    FAILED = 4500
    """The server cannot go on: it failed, and its log says how."""
    BUSY = 4503
    """The server has no room, or cannot reach what it needs: come again."""


ENDINGS = {
    Ending.WITHDRAWN: Reason.NO_CREDENTIAL,
    Ending.DISMISSED: Reason.DISMISSED,
}


class Visitor:
    """Who opens a connection, by what the handshake says."""

    __slots__ = ("_address", "_headers", "_offered", "_peer", "_ticket", "_token")

    @sensitive_variables()
    def __init__(self, scope: Mapping[str, Any]) -> None:
        headers = joined(scope["headers"])
        authorization = headers.pop("authorization", None)
        self._headers = headers
        self._offered: list[str] = scope["subprotocols"]
        self._peer: str | None = (scope.get("client") or (None,))[0]
        self._address = address_behind(self._peer, headers)
        self._token = _token(authorization, self._offered)
        self._ticket = _among(self._offered, TICKET_PREFIX)

    async def is_welcome(self) -> bool:
        """Tell whether it comes from where it may, and speaks what is spoken here."""
        return (
            BINDING.name in get_conf().transports
            and SUBPROTOCOL in self._offered
            and await why_foreign(self._headers) is None
        )

    async def enter(self) -> OpenStream | None:
        """Return the place of a connection that is let in; None for nobody's.

        Raises TooManyRequests, Full, and StoreUnavailable.
        """
        credential = self._credential()
        if credential is None:
            return None
        caller = await admit(credential, self._address)
        if caller is None:
            return None
        stream = get_open_streams().standing(caller, credential)
        stream.door = BINDING.name
        return stream

    @sensitive_variables()
    def _credential(self) -> Credential | None:
        """Return what it comes with: a token before a ticket, which is spent."""
        if self._token is not None:
            return Bearer(self._token, self._address) if self._token else None
        if self._ticket is not None:
            return Ticket(self._ticket, self._address)
        if may_be_anonymous(self._peer, self._address, self._headers.get("host")):
            return NOBODY
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
        self,
        receive: Receive,
        send: Send,
        stream: OpenStream,
        max_bytes: int,
        record: Connection,
    ) -> None:
        self._receive = receive
        self._stream = stream
        self._send = send
        self._max_bytes = max_bytes
        self._record = record
        self._reason = Reason.FAILED
        self._open = True

    async def start(self) -> None:
        """It was accepted before: who is turned away after that is told why."""

    async def receive(self) -> bytes | None:
        try:
            event = await self._stream.next(self._receive)
        except StreamEnded as ended:
            if ended.ending is Ending.RESTART:
                self.leave(Reason.GOING_AWAY)
                raise GoingAway from None
            self.leave(ENDINGS[ended.ending])
            return None
        if event["type"] == "websocket.disconnect":
            self._open = False
            return None
        text: str | None = event.get("text")
        if text is None:
            self.leave(Reason.NOT_TEXT)
        elif len(message := text.encode()) > self._max_bytes:
            self.leave(Reason.TOO_LARGE)
        elif not await self._stream.still_granted():
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
        self._record.ending = reason.name.lower()

    async def close(self) -> None:
        """Say why, to a client that is still there. Once is enough."""
        if self._open:
            self._open = False
            await closed(self._send, self._reason)
        close_shared_connections()


async def closed(send: Send, reason: Reason) -> None:
    """End a connection; its client may have gone already."""
    try:
        await send({"type": "websocket.close", "code": reason.value})
    except OSError:
        logger.info("a client had gone before it was told why")


async def turned_away(send: Send, reason: Reason) -> None:
    """End a connection whose client was not let in."""
    # The codes are HTTP's, moved to where applications have theirs.
    tell_refused(get_server().observers, reason - CODES_FROM, reason.name.lower())
    await closed(send, reason)


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
            tell_refused(get_server().observers, 403, "not welcome here")
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        try:
            stream = await visitor.enter()
        except TooManyRequests:
            return await turned_away(send, Reason.TOO_MANY)
        except (Full, StoreUnavailable):
            return await turned_away(send, Reason.BUSY)
        except Exception:
            logger.exception("a WebSocket could not be opened")
            return await turned_away(send, Reason.FAILED)
        if stream is None:
            return await turned_away(send, Reason.NO_CREDENTIAL)
        caller, max_bytes = stream.caller, get_conf().limits.max_body_bytes
        record = Connection(door=BINDING.name, caller=caller)
        socket = Socket(receive, send, stream, max_bytes, record)
        met = stream.meet
        try:
            await serve(get_server(), socket, caller, BINDING, met=met, record=record)
        except Exception:
            logger.exception("a WebSocket failed")
        finally:
            stream.close()
            await socket.close()
