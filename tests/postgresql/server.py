"""A PostgreSQL of our own, reached by a socket in its directory and by nothing else."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from glob import glob
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

from deploy.servers import Process

USER = "mcp"
# A part of the socket's name: no port is taken.
PORT = 5432
INIT_S = 120
# Sorts as a shop's database does, not by bytes.
LOCALE = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
# What is kept need not outlive the machine.
UNSAFE_AND_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgreSQL(Process):
    """PostgreSQL with its data and its socket in ``directory``.

    It refuses to run as root, and is run as nobody then.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(PORT, directory / "postgresql.log")
        self.directory = directory
        self._data = directory / "data"

    def spawn(self, output: BinaryIO) -> subprocess.Popen[bytes]:
        settings = (*UNSAFE_AND_FAST, "listen_addresses=", "max_connections=100")
        as_user = self._as_user()
        if not self._data.exists():
            self._initialize(as_user)
        return subprocess.Popen(
            [
                _program("postgres"),
                *("-D", str(self._data)),
                *("-k", str(self.directory)),
                *(part for setting in settings for part in ("-c", setting)),
            ],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            **as_user,
        )

    def serves(self) -> bool:
        try:
            psycopg.connect(
                host=str(self.directory), port=PORT, user=USER, dbname="postgres"
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it at once: told to terminate, it would wait for its clients."""
        self.process.send_signal(signal.SIGINT)
        super().stop()

    def _initialize(self, as_user: Mapping[str, Any]) -> None:
        made = subprocess.run(
            [
                _program("initdb"),
                *("-D", str(self._data)),
                *("--username", USER, "--auth=trust", "--encoding=UTF8", "--no-sync"),
                *LOCALE,
            ],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=INIT_S,
            check=False,
            **as_user,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr}")

    def _as_user(self) -> Mapping[str, Any]:
        """Return what makes a process run as one that PostgreSQL accepts."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _program(name: str) -> str:
    """Return its path; Debian keeps it in a directory of its version.

    Raises RuntimeError if it is not installed.
    """
    known = os.pathsep.join([os.environ["PATH"], *glob("/usr/lib/postgresql/*/bin")])
    found = shutil.which(name, path=known)
    if found is None:
        raise RuntimeError(f"{name} is not installed; it is in Debian's postgresql")
    return found
