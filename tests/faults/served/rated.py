"""The tools of the other tests, and one that each caller may use so often."""

from __future__ import annotations

import os

from tests.faults.served.catalogue import shelf

__all__ = ["rarely", "shelf"]


@shelf.tool(rate=os.environ["FAULTS_RATE"] or None)
async def rarely() -> str:
    """Do what costs much."""
    return "done"
