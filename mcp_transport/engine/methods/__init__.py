"""The methods, by name. Which of them a peer may use is a fact of its revision.

A method takes the exchange and returns its result in the peer's form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.methods import (
    completion,
    lifecycle,
    listen,
    logging,
    prompts,
    resources,
    tools,
)

Method = Callable[[Exchange], Awaitable[dict[str, Any] | bytes]]

METHODS: Mapping[str, Method] = {
    **lifecycle.METHODS,
    **tools.METHODS,
    **resources.METHODS,
    **prompts.METHODS,
    **completion.METHODS,
    **logging.METHODS,
    **listen.METHODS,
}
