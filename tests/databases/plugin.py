"""Runs on a server of its own what runs on SQLite else.

A plugin of a database takes these hooks, and says which server it is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.servers import running
from tests.databases.server import DatabaseServer

DATABASE_FIXTURES = {"db", "transactional_db"}


def serve(
    config: pytest.Config,
    server: Callable[[Path], DatabaseServer],
    settings_module: str,
) -> None:
    """Start it, to be called before anything looks at Django's settings."""
    stack = ExitStack()
    config.add_cleanup(stack.close)
    temporary = tempfile.TemporaryDirectory(prefix="mcp-database-")
    directory = stack.enter_context(temporary)
    stack.enter_context(running([server(Path(directory))]))
    os.environ["TESTS_DATABASE"] = directory
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module


def pytest_configure(config: pytest.Config) -> None:
    """Drop no database: they go with the server, whoever is still connected."""
    config.option.reuse_db = True


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the tests that reach no database, and the servers with their own."""
    left_out = [item for item in items if not _reaches_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = filter(_reaches_database, items)


def _reaches_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    marked = item.get_closest_marker("django_db") is not None
    return marked or not DATABASE_FIXTURES.isdisjoint(fixtures)
