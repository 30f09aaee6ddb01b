"""resources/list, templates/list, read, subscribe, unsubscribe.

Spec: 2026-07-28 server/resources; 2025-11-25 server/resources #subscriptions.
"""

from __future__ import annotations

from typing import Any

from mcp_transport.engine import rounds
from mcp_transport.engine.exchange import Exchange, Methods
from mcp_transport.engine.methods.failing import failing_aloud, set_deadline
from mcp_transport.engine.methods.paging import page
from mcp_transport.engine.resource import Resource
from mcp_transport.protocol.errors import ProtocolError, invalid_params

MAX_SUBSCRIPTIONS = 1000


async def list_resources(exchange: Exchange) -> bytes:
    return await page(exchange, "resources", "resources")


async def list_templates(exchange: Exchange) -> bytes:
    return await page(exchange, "templates", "resourceTemplates")


async def read(exchange: Exchange) -> dict[str, Any]:
    resource = await _find(exchange)
    set_deadline(exchange)
    async with failing_aloud(exchange, f"resource {resource.name}"):
        try:
            result = await rounds.run(exchange, resource.read)
        except exchange.server.missing:
            raise _not_found(exchange, resource.uri) from None
    return exchange.server.encode(exchange, result)


async def subscribe(exchange: Exchange) -> dict[str, Any]:
    session = exchange.session
    assert session is not None
    resource = await _find(exchange)
    if len(session.subscriptions) >= MAX_SUBSCRIPTIONS:
        raise invalid_params(f"at most {MAX_SUBSCRIPTIONS} subscriptions a session")
    session.subscriptions.add(resource.uri)
    return exchange.server.encode(exchange, {})


async def unsubscribe(exchange: Exchange) -> dict[str, Any]:
    session = exchange.session
    assert session is not None
    session.subscriptions.discard(_uri(exchange))
    return exchange.server.encode(exchange, {})


async def _find(exchange: Exchange) -> Resource:
    """Raises ProtocolError for what is not there, or not there for this caller."""
    uri = _uri(exchange)
    catalogue = exchange.server.catalogue
    resource: Resource | None = await catalogue.find("resources", uri, exchange.caller)
    if resource is None:
        raise _not_found(exchange, uri)
    exchange.known_as = resource.known_as
    return resource


def _not_found(exchange: Exchange, uri: str) -> ProtocolError:
    """Spec: 2026-07-28 server/resources #error-handling: data names the URI."""
    code = exchange.peer.revision.resource_not_found
    return ProtocolError(code, "Resource not found", {"uri": uri[:2048]})


def _uri(exchange: Exchange) -> str:
    uri = exchange.params.get("uri")
    if type(uri) is not str:
        raise invalid_params(f"{exchange.method} needs uri, a string")
    return uri


METHODS: Methods = {
    "resources/list": list_resources,
    "resources/templates/list": list_templates,
    "resources/read": read,
    "resources/subscribe": subscribe,
    "resources/unsubscribe": unsubscribe,
}
