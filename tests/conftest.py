"""What no test may leave to the next one."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, settings

# How fast the machine is at the moment is not what is tested.
settings.register_profile(
    "at any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("at any pace")


@pytest.fixture(autouse=True)
def counted_afresh() -> None:
    """Whoever failed to be let in has not failed in an earlier test."""
    cache.clear()
