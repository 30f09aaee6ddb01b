"""How a method that has no in-band error says that the application failed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp_transport.engine.errors import ToolError
from mcp_transport.engine.exchange import Exchange
from mcp_transport.protocol.errors import INTERNAL_ERROR, ProtocolError


@asynccontextmanager
async def failing_aloud(exchange: Exchange, what: str) -> AsyncIterator[None]:
    """Turn what the application raises into a ProtocolError (-32603)."""
    try:
        yield
    except ProtocolError:
        raise
    except ToolError as error:
        raise ProtocolError(INTERNAL_ERROR, str(error)) from None
    except Exception as error:
        explained = exchange.server.explain(error)
        if explained is None:
            raise exchange.server.internal_error(what) from None
        raise ProtocolError(INTERNAL_ERROR, explained) from None


def set_deadline(exchange: Exchange) -> None:
    timeout_s = exchange.server.limits.call_timeout_s

    def late() -> None:
        text = f"{exchange.method} did not finish within {timeout_s:g} s"
        exchange.timed_out = True
        exchange.fail(ProtocolError(INTERNAL_ERROR, text))

    exchange.call.deadline(timeout_s, late)
