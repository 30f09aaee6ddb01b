"""One shop for all clients: a database with a user and a token, and daphne."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.serving import ROOT, Served, daphne

CREATE_USER = (
    "from django.contrib.auth.models import User; User.objects.create_user('ada')"
)


def manage(environ: dict[str, str], *arguments: str) -> str:
    """Run a management command of the shop; return what it wrote."""
    ran = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="session")
def shop_environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.clients.settings",
        "SHOP_DATABASE": str(tmp_path_factory.mktemp("shop") / "db.sqlite3"),
    }


@pytest.fixture(scope="session")
def token(shop_environ: dict[str, str]) -> str:
    manage(shop_environ, "migrate", "--verbosity=0")
    manage(shop_environ, "shell", "--verbosity=0", "--command", CREATE_USER)
    made = manage(
        shop_environ, "mcp", "tokens", "create", "test", "--user=ada", "--scope=*"
    )
    return made.strip()


@pytest.fixture(scope="session")
def shop(
    shop_environ: dict[str, str], token: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("shop") / "daphne.log"
    application = "tests.clients.asgi:application"
    with daphne(application, log, environ=shop_environ) as served:
        yield served
        said = served.said()
        assert "Traceback" not in said
        assert token not in said
