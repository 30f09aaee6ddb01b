"""subscriptions/listen: one request, a stream of what changes.

Spec: 2026-07-28 basic/patterns/subscriptions.
"""

from __future__ import annotations

import asyncio
from typing import Any

from mcp_transport.engine.changes import Change, ResourceUpdated
from mcp_transport.engine.exchange import Exchange, Methods
from mcp_transport.engine.methods.resources import MAX_SUBSCRIPTIONS
from mcp_transport.protocol.errors import (
    InsufficientScope,
    invalid_params,
    method_not_found,
)
from mcp_transport.protocol.peer import SUBSCRIPTION_KEY

# The filter's member for each kind of list.
LISTS = {
    "tools": "toolsListChanged",
    "prompts": "promptsListChanged",
    "resources": "resourcesListChanged",
}


async def listen(exchange: Exchange) -> dict[str, Any]:
    """Acknowledge, then tell each change until the client leaves or the server
    ends the stream.
    """
    if not exchange.arrival.binding.streaming:
        raise method_not_found(exchange.method)
    wanted = await _honoured(exchange)
    meta = {SUBSCRIPTION_KEY: exchange.request_id}
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(change: Change) -> None:
        notification = said(change, wanted)
        if notification is not None:
            method, params = notification
            exchange.notify(method, {**params, "_meta": meta})

    stop = exchange.server.changes.subscribe(tell)
    exchange.server.listeners.add(ended)
    try:
        exchange.notify(
            "notifications/subscriptions/acknowledged",
            {"notifications": wanted, "_meta": meta},
        )
        if not exchange.server.ends_streams:
            await ended
    finally:
        stop()
        exchange.server.listeners.discard(ended)
    return exchange.server.encode(exchange, {"_meta": meta})


def said(change: Change, wanted: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the notification of a change that the filter ``wanted`` holds."""
    if isinstance(change, ResourceUpdated):
        held = change.uri in wanted.get("resourceSubscriptions", ())
    else:
        held = LISTS[change.kind] in wanted
    return change.notification if held else None


async def _honoured(exchange: Exchange) -> dict[str, Any]:
    """Return the part of the filter that is granted: no URI that the caller may
    not read. Raises ProtocolError (-32602) for a malformed filter.
    """
    asked = exchange.params.get("notifications")
    if type(asked) is not dict:
        raise invalid_params("subscriptions/listen needs notifications, an object")
    wanted: dict[str, Any] = {}
    for member in LISTS.values():
        value = asked.get(member, False)
        if type(value) is not bool:
            raise invalid_params(f"{member} must be a boolean")
        if value:
            wanted[member] = True
    uris = asked.get("resourceSubscriptions")
    if uris is None:
        return wanted
    if type(uris) is not list or not all(type(uri) is str for uri in uris):
        raise invalid_params("resourceSubscriptions must be a list of strings")
    if len(uris) > MAX_SUBSCRIPTIONS:
        raise invalid_params(f"at most {MAX_SUBSCRIPTIONS} subscriptions a stream")
    wanted["resourceSubscriptions"] = [
        uri for uri in uris if await _readable(exchange, uri)
    ]
    return wanted


async def _readable(exchange: Exchange, uri: str) -> bool:
    catalogue = exchange.server.catalogue
    try:
        found = await catalogue.find("resources", uri, exchange.caller)
    except InsufficientScope:
        return False
    return found is not None


METHODS: Methods = {"subscriptions/listen": listen}
