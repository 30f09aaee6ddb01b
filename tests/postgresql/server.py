"""A PostgreSQL of our own."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.databases.server import DatabaseServer, program

USER = "mcp"
PORT = 5432
# Sorts as a shop's database does, not by bytes.
LOCALE = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
# What is kept need not outlive the machine.
UNSAFE_AND_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgreSQL(DatabaseServer):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory, PORT)

    def initialize(self) -> None:
        self.run(
            program("initdb", "postgresql"),
            *("-D", str(self.data)),
            *("--username", USER, "--auth=trust", "--encoding=UTF8", "--no-sync"),
            *LOCALE,
        )

    def command(self) -> Sequence[str]:
        settings = (*UNSAFE_AND_FAST, "listen_addresses=", "max_connections=100")
        return [
            program("postgres", "postgresql"),
            *("-D", str(self.data)),
            *("-k", str(self.directory)),
            *(part for setting in settings for part in ("-c", setting)),
        ]

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
