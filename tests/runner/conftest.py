"""A server of our own for the tests that leave it as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.serving import Served, mcp_serve

APPLICATION = "tests.runner.served:application"
Serve = Callable[..., AbstractContextManager[Served]]


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("runner") / "serve.log"
    with mcp_serve(
        APPLICATION, log, environ={}, options=["--access-log=-", "--max-connections=90"]
    ) as server:
        yield server
    assert server.process.returncode == 0


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Start a server with options of its own, for a test that ends it."""

    @contextmanager
    def serving(*options: str, **environ: str) -> Iterator[Served]:
        log = tmp_path / "serve.log"
        with mcp_serve(APPLICATION, log, environ=environ, options=options) as server:
            yield server

    return serving
