"""batch: several requests in one, as the plain dialect has it.

``params.requests`` holds requests that need neither ``jsonrpc`` nor ``id``; the
result's ``responses`` are theirs, in the same order. They run side by side.
"""

from __future__ import annotations

from typing import Any

from mcp_transport.engine.exchange import Arrival, Exchange, Methods
from mcp_transport.protocol.errors import invalid_params
from mcp_transport.protocol.messages import Request

MAX_REQUESTS = 100


async def batch(exchange: Exchange) -> bytes:
    """Raises ProtocolError (-32602) for what is no list of requests."""
    asked = exchange.params.get("requests")
    if type(asked) is not list or not asked:
        raise invalid_params("batch needs requests, a list that is not empty")
    if len(asked) > MAX_REQUESTS:
        raise invalid_params(f"at most {MAX_REQUESTS} requests a batch")
    requests = [_request(exchange, place, one) for place, one in enumerate(asked)]
    arrival = exchange.arrival
    opened: list[Exchange] = []
    try:
        for request in requests:
            opened.append(
                exchange.server.open(
                    Arrival(
                        request,
                        arrival.binding,
                        arrival.caller,
                        arrival.headers,
                        arrival.session,
                    )
                )
            )
        for one in opened:
            await one.settle()
    finally:
        for one in opened:
            one.leave()
    # One that the client has cancelled has no response.
    said = [response for one in opened for response in one.take()[-1:]]
    return b'{"responses":[%b]}' % b",".join(said)


def _request(exchange: Exchange, place: int, asked: Any) -> Request:
    if type(asked) is not dict or type(asked.get("method")) is not str:
        raise invalid_params(f"requests[{place}] needs method, a string")
    params = asked.get("params", {})
    if type(params) is not dict:
        raise invalid_params(f"requests[{place}].params must be an object")
    if asked["method"] == "batch":
        raise invalid_params(f"requests[{place}]: a batch holds no batch")
    id = asked.get("id", f"{exchange.request_id}#{place}")
    if type(id) not in (str, int):
        raise invalid_params(f"requests[{place}].id must be a string or an integer")
    return Request(id, asked["method"], params)


METHODS: Methods = {"batch": batch}
