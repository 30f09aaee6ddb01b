"""Whether what is checked may be about to serve others."""

from __future__ import annotations

from django.conf import settings

# What Django's test runner adds to ALLOWED_HOSTS when it switches DEBUG off.
TEST_HOST = "testserver"


def in_production() -> bool:
    """Tell whether DEBUG is off, and not for a run of tests alone."""
    return not settings.DEBUG and TEST_HOST not in settings.ALLOWED_HOSTS
