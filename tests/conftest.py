"""What no test may leave to the next one."""

from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def counted_afresh() -> None:
    """Whoever failed to be let in has not failed in an earlier test."""
    cache.clear()
