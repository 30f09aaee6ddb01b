"""The database of the project: a user, and a token for each caller."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.serving import ROOT

PREPARE_S = 120
CREATE_USER = (
    "from django.contrib.auth.models import User; User.objects.create_user('ada')"
)


def environ(database: Path) -> dict[str, str]:
    """Return the environment in which the project is served."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.wire.served.settings",
        "SERVED_DATABASE": str(database),
    }


def prepare(database: Path) -> str:
    """Make the database; return the token of a caller who may do everything."""
    manage(database, "migrate", "--verbosity=0")
    manage(database, "shell", "--verbosity=0", "--command", CREATE_USER)
    return manage(
        database, "mcp", "tokens", "create", "test", "--user=ada", "--scope=*"
    ).strip()


def manage(database: Path, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ(database)},
        capture_output=True,
        text=True,
        timeout=PREPARE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
