"""What the doors of HTTP are sent and send, shown as it goes by, for debugging."""

from __future__ import annotations

import gzip
from collections.abc import AsyncGenerator

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from mcp_transport.engine.observing import Wire
from mcp_transport.middleware import AsyncMiddleware, View
from mcp_transport.monitoring.wire import data_of


class WireMiddleware(AsyncMiddleware):
    """Stands around everything, so that refusals are seen too. The query string, which
    may name a session, is not shown.
    """

    def __init__(self, get_response: View, wire: Wire) -> None:
        super().__init__(get_response)
        self._wire = wire

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        where = f"{request.method} {request.path}"
        try:
            self._wire.received(where, request.body)
        except RequestDataTooBig:
            self._wire.received(f"{where} (too large)", b"")
        response = await self.get_response(request)
        where = f"{where} {response.status_code}"
        if isinstance(response, StreamingHttpResponse):
            # Not streaming_content: Django's wrapper would not close what it wraps.
            pieces: AsyncGenerator[bytes, None] = response._iterator  # type: ignore[attr-defined]
            response.streaming_content = self._shown(pieces, where)
        elif isinstance(response, HttpResponse):
            self._wire.sent(where, _plain(response))
        return response

    async def _shown(
        self, pieces: AsyncGenerator[bytes, None], where: str
    ) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in pieces:
                for data in data_of(piece):
                    self._wire.sent(where, data)
                yield piece
        finally:
            await pieces.aclose()


def _plain(response: HttpResponse) -> bytes:
    if response.headers.get("Content-Encoding") == "gzip":
        return gzip.decompress(response.content)
    return response.content
