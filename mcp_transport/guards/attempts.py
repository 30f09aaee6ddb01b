"""How often an address may try tokens that are no good."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from mcp_transport.engine.rates import Rate, Rates, Use
from mcp_transport.protocol.errors import TooManyRequests

MAX_BARRED = 4096


class Attempts:
    """Counts failures over all processes, and bars who had too many.

    Only a failure is counted, so that a call with a good token costs nothing here;
    each process bars an address by itself, at its next failure. ``clock`` gives
    monotonic seconds.
    """

    def __init__(
        self,
        rates: Rates,
        rate: Rate | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = rates
        self._rate = rate
        self._clock = clock
        self._barred: OrderedDict[str, float] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TooManyRequests for an address that is barred."""
        until_s = self._barred.get(address)
        if until_s is None:
            return
        left_s = until_s - self._clock()
        if left_s <= 0:
            del self._barred[address]
            return
        raise TooManyRequests("too many failed authentications", int(left_s) + 1)

    async def failed(self, address: str) -> None:
        """Count a failure. Raises TooManyRequests for one too many, and
        StoreUnavailable.
        """
        if self._rate is None:
            return
        try:
            await self._rates.spend(Use("failures", address, self._rate))
        except TooManyRequests as error:
            self._bar(address, error.retry_after_s or self._rate.period_s)
            self.check(address)

    def _bar(self, address: str, for_s: float) -> None:
        self._barred[address] = self._clock() + for_s
        self._barred.move_to_end(address)
        if len(self._barred) > MAX_BARRED:
            self._barred.popitem(last=False)
