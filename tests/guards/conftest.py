from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.servers import Redis
from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.threads import Threads
from tests.serving import redis_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(8, closing_old_connections)
    yield made
    made.close()
