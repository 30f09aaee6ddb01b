"""Opaque cursors: where in a list the next page begins.

Spec: 2026-07-28 server/utilities/pagination.
"""

from __future__ import annotations

from mcp_transport.protocol.errors import invalid_params
from mcp_transport.protocol.messages import Json
from mcp_transport.protocol.signing import Signer


def encode_cursor(signer: Signer, scope: str, position: str) -> str:
    """Return a cursor for ``position`` that is valid in one list, ``scope``, only."""
    return signer.sign(_purpose(scope), position.encode())


def decode_cursor(signer: Signer, scope: str, cursor: Json) -> str:
    """Return the position that a peer's cursor stands for.

    Raises ProtocolError (-32602) for all that was not made for this list, the
    empty string included.
    """
    if isinstance(cursor, str):
        position = signer.verify(_purpose(scope), cursor)
        if position is not None:
            return position.decode()
    raise invalid_params("Invalid cursor")


def _purpose(scope: str) -> str:
    return f"cursor:{scope}"
