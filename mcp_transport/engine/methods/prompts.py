"""prompts/list, prompts/get. Spec: 2026-07-28 server/prompts."""

from __future__ import annotations

from functools import partial
from typing import Any

from mcp_transport.engine import rounds
from mcp_transport.engine.exchange import Exchange, Methods
from mcp_transport.engine.methods.failing import failing_aloud, set_deadline
from mcp_transport.engine.methods.paging import page
from mcp_transport.engine.prompt import Prompt
from mcp_transport.protocol.errors import invalid_params


async def list_prompts(exchange: Exchange) -> bytes:
    return await page(exchange, "prompts", "prompts")


async def get(exchange: Exchange) -> dict[str, Any]:
    """Raises ProtocolError (-32602) for an unknown prompt or missing arguments."""
    name = exchange.params.get("name")
    arguments = exchange.params.get("arguments", {})
    if type(name) is not str:
        raise invalid_params("prompts/get needs name, a string")
    if type(arguments) is not dict or not all(
        type(value) is str for value in arguments.values()
    ):
        raise invalid_params("arguments must be an object of strings")
    catalogue = exchange.server.catalogue
    prompt: Prompt | None = await catalogue.find("prompts", name, exchange.caller)
    if prompt is None:
        raise invalid_params(f"Unknown prompt: {name[:128]}")
    exchange.known_as = prompt.known_as
    set_deadline(exchange)
    attempt = partial(prompt.get, arguments=arguments)
    async with failing_aloud(exchange, f"prompt {name}"):
        result = await rounds.run(exchange, attempt)
    return exchange.server.encode(exchange, result)


METHODS: Methods = {"prompts/list": list_prompts, "prompts/get": get}
