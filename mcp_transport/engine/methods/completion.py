"""completion/complete. Spec: 2026-07-28 server/utilities/completion."""

from __future__ import annotations

from typing import Any

from mcp_transport.engine.completing import Completions
from mcp_transport.engine.context import Context
from mcp_transport.engine.entry import Kind
from mcp_transport.engine.exchange import Exchange, Methods
from mcp_transport.engine.methods.failing import failing_aloud, set_deadline
from mcp_transport.protocol.errors import invalid_params

# What a reference names: its kind of entry, and the member that holds the key.
REFERENCES: dict[str, tuple[Kind, str]] = {
    "ref/prompt": ("prompts", "name"),
    "ref/resource": ("templates", "uri"),
}


async def complete(exchange: Exchange) -> dict[str, Any]:
    """Raises ProtocolError (-32602) for an unknown reference or argument."""
    completions = await _completions(exchange)
    argument = exchange.params.get("argument")
    if type(argument) is not dict:
        raise invalid_params("completion/complete needs argument, an object")
    name, value = argument.get("name"), argument.get("value")
    if type(name) is not str or type(value) is not str:
        raise invalid_params("argument needs name and value, both strings")
    if name not in completions.known:
        raise invalid_params(f"Unknown argument: {name[:128]}")
    set_deadline(exchange)
    async with failing_aloud(exchange, "completion"):
        found = await completions.complete(
            Context(exchange, {}), name, value, _given(exchange)
        )
    return exchange.server.encode(exchange, {"completion": found})


async def _completions(exchange: Exchange) -> Completions:
    ref = exchange.params.get("ref")
    named = ref.get("type") if isinstance(ref, dict) else None
    if not isinstance(ref, dict) or type(named) is not str or named not in REFERENCES:
        raise invalid_params(f"ref.type must be one of {', '.join(REFERENCES)}")
    kind, member = REFERENCES[named]
    key = ref.get(member)
    if type(key) is not str:
        raise invalid_params(f"ref needs {member}, a string")
    entry = await exchange.server.catalogue.find(kind, key, exchange.caller)
    if entry is None:
        raise invalid_params(f"Unknown reference: {key[:128]}")
    completions: Completions = entry.completions
    return completions


def _given(exchange: Exchange) -> dict[str, str]:
    """Return the other arguments that the client has values for already."""
    context = exchange.params.get("context", {})
    arguments = context.get("arguments", {}) if type(context) is dict else None
    if type(arguments) is not dict or not all(
        type(value) is str for value in arguments.values()
    ):
        raise invalid_params("context.arguments must be an object of strings")
    return arguments


METHODS: Methods = {"completion/complete": complete}
