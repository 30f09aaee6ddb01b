"""The site of this project with a database of its own, as a newcomer's process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import ROOT, Served, daphne


class SiteProject:
    """It keeps its database and its log in a directory, and begins with what some
    scripts make.
    """

    def __init__(self, directory: Path, *scripts: str) -> None:
        self._log = directory / "daphne.log"
        self._environ = {
            "DJANGO_SETTINGS_MODULE": "mcpsite.settings",
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "MCPSITE_VAR_DIR": str(directory),
        }
        self.manage("migrate", "-v0")
        for script in scripts:
            self.manage("shell", "-v0", "-c", script)

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env={**os.environ, **self._environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout.strip()

    def create_token(self, name: str, user: str) -> str:
        """Return the text of a token that may do all that its user may."""
        create = ("mcp", "tokens", "create", name, f"--user={user}", "--scope=*")
        return self.manage(*create)

    @contextmanager
    def served(self) -> Iterator[Served]:
        """Serve it by stock daphne."""
        environ = self._environ
        with daphne("mcpsite.asgi:application", self._log, environ=environ) as server:
            yield server
            assert "Traceback" not in server.said()
