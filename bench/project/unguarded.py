"""The endpoint without a guard: what is left is the protocol and the catalogue."""

from __future__ import annotations

import gc

import django

django.setup()

from django.http import HttpRequest  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402

from mcp_transport.conf import get_server, get_store  # noqa: E402
from mcp_transport.engine.caller import Caller  # noqa: E402
from mcp_transport.handler import LeanHandler  # noqa: E402
from mcp_transport.transports.delivery import get_deliveries  # noqa: E402
from mcp_transport.transports.streamable import StreamableHTTP  # noqa: E402

_server = get_server()
_door = StreamableHTTP(_server, get_store(), get_deliveries())
_CALLER = Caller("bench", frozenset({"*"}))


async def _view(request: HttpRequest) -> HttpResponseBase:
    return await _door(request, _CALLER)


application = LeanHandler(lambda: _view, _server.limits.max_body_bytes)

gc.collect()
gc.freeze()
