"""Runs on PostgreSQL what runs on SQLite else, for example

script/test -p tests.postgresql.plugin tests/tools_app -q
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.databases.plugin import (
    pytest_collection_modifyitems as pytest_collection_modifyitems,
)
from tests.databases.plugin import pytest_configure as pytest_configure
from tests.databases.plugin import serve
from tests.postgresql.server import PostgreSQL


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None, object, object]:
    serve(early_config, PostgreSQL, "tests.postgresql.settings")
    return (yield)
