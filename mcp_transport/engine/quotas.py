"""How often a caller, a session and a tool may be served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.rates import Rate, Rates, Use
from mcp_transport.engine.session import Session


class Quotas:
    """The rates of a server, counted by ``rates``.

    ``per_caller`` is for those whose credential has none of its own. What is
    refused by one rate has been counted by the others that are asked with it.
    """

    def __init__(
        self,
        rates: Rates | None = None,
        *,
        per_caller: Rate | None = None,
        per_session: Rate | None = None,
    ) -> None:
        self._rates = rates
        self._per_caller = per_caller
        self._per_session = per_session

    def bind(self, caller: Caller) -> bool:
        """Tell whether a request of this caller has to be counted at all."""
        return bool(caller.rate or self._per_caller or self._per_session)

    async def spend(self, caller: Caller, session: Session | None) -> None:
        """Count a request. Raises TooManyRequests, or StoreUnavailable."""
        per_caller, uses = caller.rate or self._per_caller, []
        if per_caller is not None:
            uses.append(Use("caller", caller.subject, per_caller))
        if self._per_session is not None and session is not None:
            uses.append(Use("session", session.id, self._per_session))
        await self._spend(uses)

    async def spend_on(self, caller: Caller, rates: Iterable[tuple[str, Rate]]) -> None:
        """Count a use of what has rates of its own, for each caller apart.

        ``rates`` are by what they bound. Raises TooManyRequests, or
        StoreUnavailable.
        """
        await self._spend([Use(what, caller.subject, rate) for what, rate in rates])

    async def _spend(self, uses: Sequence[Use]) -> None:
        if not uses:
            return
        # A server that was given nobody to count lets nobody through uncounted.
        if self._rates is None:
            what = uses[0].what
            raise RuntimeError(f"there is a rate for {what}, and nobody counts it")
        await self._rates.spend(*uses)
