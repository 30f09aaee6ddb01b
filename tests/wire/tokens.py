"""Two callers whose tokens are known to the tests."""

from __future__ import annotations

from mcp_transport import Caller

ALICE = "alice-token"
BOB = "bob-token"
EVERYTHING = frozenset({"*"})
CALLERS = {
    ALICE: Caller("alice", EVERYTHING),
    BOB: Caller("bob", EVERYTHING),
}


class KnownTokens:
    """An authenticator that needs no database."""

    async def authenticate(self, token: str) -> Caller | None:
        return CALLERS.get(token)
