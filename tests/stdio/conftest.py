"""A database with two users and a token, and the servers that a test starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.serving import ROOT
from tests.stdio.process import Stdio

Start = Callable[..., Stdio]

CREATE_USERS = """
from django.contrib.auth.models import User
User.objects.create_user("ada")
User.objects.create_user("eve", is_active=False)
"""


def manage(environ: dict[str, str], *arguments: str) -> str:
    """Run a management command of the shop; return what it wrote."""
    ran = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of every process: nothing of ours but where the shop is."""
    environ = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "tests.stdio.settings",
        "SHOP_DATABASE": str(tmp_path_factory.mktemp("shop") / "db.sqlite3"),
    }
    manage(environ, "migrate", "--verbosity=0")
    manage(environ, "shell", "--verbosity=0", "--command", CREATE_USERS)
    return environ


@pytest.fixture(scope="session")
def token(database: dict[str, str]) -> str:
    create = ["mcp", "tokens", "create", "test", "--user=ada", "--scope=tools:call"]
    # The project logs to standard output, before it.
    return manage(database, *create).splitlines()[-1]


@pytest.fixture
def environ(database: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**database, "SHOP_MARKS": str(tmp_path)}


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a server as ``ada``, with further options of Stdio; stop it after."""
    with ExitStack() as stack:

        def start(*arguments: str, **options: Any) -> Stdio:
            server = Stdio(arguments or ("--user=ada",), environ, tmp_path, **options)
            stack.callback(server.stop)
            return server

        yield start
