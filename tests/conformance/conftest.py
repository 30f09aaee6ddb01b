"""The fixture server, under each way of mounting the endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import Served, daphne

MOUNTS = {
    "lean": "tests.conformance.asgi:lean",
    "urls": "tests.conformance.asgi:urls",
}


def settings(module: str) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": f"tests.conformance.{module}"}


@pytest.fixture(scope="session", params=MOUNTS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    mount: str = request.param
    log = tmp_path_factory.mktemp("conformance") / f"{mount}.log"
    with daphne(MOUNTS[mount], log, environ=settings("settings")) as server:
        yield server
        assert "Traceback" not in server.said()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with nothing in its catalogue."""
    log = tmp_path_factory.mktemp("conformance") / "empty.log"
    with daphne(MOUNTS["lean"], log, environ=settings("empty_settings")) as server:
        yield server
