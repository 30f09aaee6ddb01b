"""One request, from daphne to the application and back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from daphne.http_protocol import WebRequest  # type: ignore[import-untyped]
from twisted.web.http import Request as TwistedRequest

from mcp_transport.runner.channel import BodyTooLarge, Channel

if TYPE_CHECKING:
    from mcp_transport.runner.server import Server

# When a client comes back whose stream was ended.
RETRY_MS = 1000


class Request(WebRequest):  # type: ignore[misc]
    server: Server
    channel: Any  # a Channel, and None when it is over

    def __init__(self, channel: Channel, *arguments: Any) -> None:
        super().__init__(channel, *arguments)
        self.flow = channel.flow
        # Forms are the application's to read.
        self._parsePOSTFormSubmission = False

    def inbox(self) -> asyncio.Queue[Any]:
        return asyncio.Queue()

    def handleContentChunk(self, data: bytes) -> None:
        self.content.write(data)
        if self.content.tell() > self.server.max_body_bytes:
            raise BodyTooLarge

    def process(self) -> Any:
        if self.server.leaving and self.requestHeaders.hasHeader(b"upgrade"):
            # Unanswered, for a proxy to ask another process: what would be opened
            # now could not stay.
            self.channel.loseConnection()
            return None
        # daphne would believe this one from anybody.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return super().process()

    def handle_reply(self, message: Mapping[str, Any]) -> None:
        super().handle_reply(message)
        if (
            self.server.leaving
            and message["type"] == "http.response.start"
            and self.channel is not None
        ):
            self.channel.persistent = False
            self.responseHeaders.setRawHeaders(b"connection", [b"close"])

    def handle_exception(self, exception: BaseException) -> None:
        """What has begun cannot become an error: its client sees that it broke."""
        if not self._response_started:
            super().handle_exception(exception)
        elif self.channel is not None:
            self.channel.transport.abortConnection()

    @property
    def is_stream(self) -> bool:
        """Tell whether it is a stream of events that ends only because somebody ends
        it. One in reply to a POST ends with what was asked for.
        """
        if self.finished or not self.startedWriting or self.method != b"GET":
            return False
        header = self.responseHeaders.getRawHeaders
        content_type = header(b"content-type", [b""])[-1]
        encoding = header(b"content-encoding", [b"identity"])[-1]
        streams: bool = content_type.startswith(b"text/event-stream")
        return streams and encoding == b"identity"

    def end_stream(self) -> None:
        """Let its client come back, elsewhere; the application sees it go."""
        TwistedRequest.write(self, b"retry: %d\n\n" % RETRY_MS)
        self.finish()
