"""Which requests may run only once under their id, however often they arrive.

A client, or a proxy, that lost a connection may send a message again. Ids are
not used twice in a session, so the second one is refused and never run.

Spec: 2025-11-25 basic/index #requests.
"""

from __future__ import annotations

from mcp_transport.engine.session import Claimed
from mcp_transport.protocol.errors import invalid_request
from mcp_transport.protocol.messages import Batch, Id, Message, Request, encode_error

# What may have effects. All else may be asked again: clients that never change
# the id of a list request do exist.
ONCE = frozenset({"tools/call"})


def claims(parsed: Message | Batch) -> list[Id]:
    """Return the ids that the requests of a body claim."""
    messages = parsed if isinstance(parsed, tuple) else (parsed,)
    return [
        message.id
        for message in messages
        if isinstance(message, Request) and message.method in ONCE
    ]


def used_before(error: Claimed) -> bytes:
    """Return the response to a request whose id was claimed before."""
    refused = invalid_request("a request with this id was made in this session before")
    return encode_error(error.request_id, refused)
