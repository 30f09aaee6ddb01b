"""The methods, by name. Which of them a peer may use is a fact of its revision.

A method takes the exchange and returns its result in the peer's form.
"""

from __future__ import annotations

from mcp_transport.engine.exchange import Methods
from mcp_transport.engine.methods import (
    batch,
    completion,
    lifecycle,
    listen,
    logging,
    prompts,
    resources,
    tools,
)

# What is answered by a stream that lasts, and not by work.
STREAMS = frozenset({"subscriptions/listen"})

METHODS: Methods = {
    **lifecycle.METHODS,
    **tools.METHODS,
    **resources.METHODS,
    **prompts.METHODS,
    **completion.METHODS,
    **logging.METHODS,
    **listen.METHODS,
    **batch.METHODS,
}
