"""Runs on PostgreSQL what runs on SQLite else, for example

script/test -p tests.postgresql.plugin tests/tools_app -q
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.servers import running
from tests.postgresql.server import PostgreSQL

DATABASE_FIXTURES = {"db", "transactional_db"}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None, object, object]:
    """Start it before anything looks at Django's settings."""
    stack = ExitStack()
    early_config.add_cleanup(stack.close)
    temporary = tempfile.TemporaryDirectory(prefix="mcp-postgresql-")
    directory = stack.enter_context(temporary)
    stack.enter_context(running([PostgreSQL(Path(directory))]))
    os.environ["TESTS_POSTGRESQL"] = directory
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.postgresql.settings"
    return (yield)


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
