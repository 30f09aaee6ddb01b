"""A project that is watched, in this process, under each mount."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings

from mcp_transport.asgi import Application
from mcp_transport.status.health import get_readiness
from tests.wire.conftest import MOUNTS
from tests.wire.settings import MCP

TOKEN = "only-for-the-tests-0123456789abcdef"


@pytest.fixture(params=MOUNTS)
def make(request: pytest.FixtureRequest) -> Callable[[], Application]:
    return MOUNTS[request.param]


@pytest.fixture
def conf() -> dict[str, Any]:
    """What ``settings.MCP`` has over the usual; tests override this."""
    return {"METRICS_TOKEN": TOKEN}


@pytest.fixture
def application(
    make: Callable[[], Application], conf: dict[str, Any]
) -> Iterator[Application]:
    get_readiness.cache_clear()
    with override_settings(MCP=MCP | conf, ROOT_URLCONF="tests.status.urls"):
        yield make()
    get_readiness.cache_clear()
