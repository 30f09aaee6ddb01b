"""A method that the revision does not have, though another may. Spec: JSON-RPC 2.0
section 5.1.
"""

from __future__ import annotations

from mcp_transport.protocol.errors import METHOD_NOT_FOUND
from mcp_transport.protocol.revisions import PLAIN
from tests.interaction.conftest import Connect
from tests.interaction.matrix import ALL_REVISIONS, Cell

KNOWN = frozenset().union(*(one.requests for one in ALL_REVISIONS.values()))


async def test_it_is_not_found(cell: Cell, connect: Connect) -> None:
    unknown = {*(KNOWN - cell.revision.requests), "no/such", "Tools/List", ""}
    if cell.revision is PLAIN:
        # Its sessions have begun: a handshake is told that it is one too many.
        unknown -= {"initialize"}
    async with connect() as guest:
        for method in sorted(unknown):
            error = await guest.fails(method)
            assert error.code == METHOD_NOT_FOUND, method
        assert await guest.text("echo", text="on") == "on"
