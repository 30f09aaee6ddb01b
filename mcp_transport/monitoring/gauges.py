"""What can be read at any moment: how many calls run, how much waits to be written.

An application adds its own by ``register_gauge``; whoever shows gauges, such as
``Metrics``, reads them when somebody looks.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger("mcp_transport")

Across = Literal["sum", "max"]


@dataclass(frozen=True, slots=True)
class Gauge:
    """``read`` may wait for others: it is called on a thread, never on the loop.
    ``across`` says how the values of several processes make one.
    """

    name: str
    description: str
    read: Callable[[], float]
    across: Across

    def value(self) -> float:
        """Return the present value; NaN where it cannot be read, which is logged."""
        try:
            return float(self.read())
        except Exception as error:
            # It may be anybody's function, and there are others to read.
            logger.warning("the gauge %s could not be read: %r", self.name, error)
            return math.nan


_gauges: dict[str, Gauge] = {}


def register_gauge(
    name: str, description: str, read: Callable[[], float], across: Across = "sum"
) -> None:
    """Show what ``read`` returns under ``name``, which says its unit as Prometheus
    wants it (``shop_queue_depth``, ``shop_cache_bytes``).

    Of several processes the values are added; with ``across="max"``, for what each
    of them sees of one thing that they share, the largest counts. What was registered
    under the name before is replaced.
    """
    _gauges[name] = Gauge(name, description, read, across)


def gauges() -> Iterator[Gauge]:
    yield from tuple(_gauges.values())
