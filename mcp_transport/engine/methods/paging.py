"""One page of a list, encoded once for all who may see the same.

Spec: 2026-07-28 server/utilities/pagination, server/utilities/caching.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_transport.engine.entry import Entry, Kind
from mcp_transport.engine.exchange import Exchange
from mcp_transport.protocol.cursor import decode_cursor, encode_cursor
from mcp_transport.protocol.messages import dumps
from mcp_transport.protocol.revision import Revision

Listed = Callable[[Entry, Revision], dict[str, Any]]


def as_it_is(entry: Entry, revision: Revision) -> dict[str, Any]:
    return entry.to_json()


async def page(
    exchange: Exchange, kind: Kind, member: str, listed: Listed = as_it_is
) -> bytes:
    """Return the result of a list method, as JSON.

    Raises ProtocolError (-32602) for a cursor that was not made for this
    caller and list.
    """
    server, revision = exchange.server, exchange.peer.revision
    scope = f"{kind}:{exchange.caller.subject}"
    cursor = exchange.params.get("cursor")
    after = None if cursor is None else decode_cursor(server.signer, scope, cursor)
    found = await server.catalogue.page(
        kind, exchange.caller, after, server.limits.page_size
    )
    data = found.encoded.get((server, revision.name))
    if data is None:
        items = [listed(entry, revision) for entry in found.entries]
        result = {member: items, "ttlMs": server.list_ttl_ms}
        data = dumps(server.encode(exchange, result))
        found.encoded[(server, revision.name)] = data
    if found.next is None:
        return data
    # The cursor is the caller's own, the rest is everybody's.
    cursor = dumps(encode_cursor(server.signer, scope, found.next))
    return b'%b,"nextCursor":%b}' % (data[:-1], cursor)
