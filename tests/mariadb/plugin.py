"""Runs on MariaDB what runs on SQLite else, for example

script/test -p tests.mariadb.plugin tests/tools_app -q
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.databases.plugin import (
    pytest_collection_modifyitems as pytest_collection_modifyitems,
)
from tests.databases.plugin import pytest_configure as pytest_configure
from tests.databases.plugin import serve
from tests.mariadb.server import MariaDB


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None, object, object]:
    serve(early_config, MariaDB, "tests.mariadb.settings")
    return (yield)
