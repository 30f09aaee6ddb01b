"""A request that comes before the handshake. Spec: 2025-11-25 basic/lifecycle."""

from __future__ import annotations

import json

import pytest

from mcp_transport.protocol.errors import INVALID_REQUEST
from mcp_transport.protocol.messages import encode_request
from tests.interaction.conftest import Wired
from tests.interaction.matrix import Cell


@pytest.mark.parametrize("method", ["tools/list", "logging/setLevel"])
async def test_it_is_refused(cell: Cell, wired: Wired, method: str) -> None:
    async with wired() as wire:
        await wire.start()
        await wire.send(encode_request(1, method, {}))
        refused = json.loads(await wire.receive() or b"")
        assert refused["error"]["code"] == INVALID_REQUEST
        await wire.close()
