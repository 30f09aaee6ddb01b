"""A database server of our own, reached by a socket in its directory alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Any, BinaryIO

from deploy.servers import Process

INIT_S = 120


class DatabaseServer(Process):
    """A server with its data and its socket in ``directory``.

    It refuses to run as root, and is run as nobody then. ``port`` is a part of the
    socket's name at most: none is taken.
    """

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(port, directory / "server.log")
        self.directory = directory
        self.data = directory / "data"

    @abstractmethod
    def initialize(self) -> None:
        """Make ``data``."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return what serves ``data``."""

    def spawn(self, output: BinaryIO) -> subprocess.Popen[bytes]:
        if not self.data.exists():
            self.initialize()
        return subprocess.Popen(
            self.command(),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            **self._as_user(),
        )

    def run(self, *command: str) -> str:
        """Return what a command prints.

        Raises RuntimeError, with what it says of it, if it fails.
        """
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=INIT_S,
            check=False,
            **self._as_user(),
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _as_user(self) -> Mapping[str, Any]:
        """Return what makes a process run as one that the server accepts."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def program(name: str, package: str) -> str:
    """Return its path; Debian keeps servers where only root looks, or nobody.

    Raises RuntimeError if it is not installed.
    """
    hidden = ["/usr/sbin", *glob("/usr/lib/postgresql/*/bin")]
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *hidden]))
    if found is None:
        raise RuntimeError(f"{name} is not installed; it is in Debian's {package}")
    return found
