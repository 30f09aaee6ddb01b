from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings


@pytest.fixture(autouse=True)
def production() -> Iterator[None]:
    """Take away the host by which checks know a run of tests."""
    with override_settings(ALLOWED_HOSTS=["mcp.example.com"]):
        yield
