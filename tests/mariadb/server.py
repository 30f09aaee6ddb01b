"""A MariaDB of our own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pymysql

from tests.databases.server import DatabaseServer, program

USER = "root"  # its own, who needs no password
ZONES = "/usr/share/zoneinfo"


class MariaDB(DatabaseServer):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory, port=0)
        self._socket = str(directory / "socket")

    def initialize(self) -> None:
        """Make its data, with the time zones that Django asks it for."""
        zones = self.directory / "zones.sql"
        tell_zones = program("mariadb-tzinfo-to-sql", "mariadb-server")
        zones.write_text(self.run(tell_zones, ZONES), encoding="utf-8")
        self.run(
            program("mariadb-install-db", "mariadb-server"),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--extra-file={zones}",
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        )

    def command(self) -> Sequence[str]:
        return [
            program("mariadbd", "mariadb-server"),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--socket={self._socket}",
            *("--skip-networking", "--character-set-server=utf8mb4"),
            # What is kept need not outlive the machine.
            "--innodb-flush-log-at-trx-commit=0",
        ]

    def serves(self) -> bool:
        try:
            pymysql.connect(unix_socket=self._socket, user=USER).close()
        except pymysql.OperationalError:
            return False
        return True
