"""Standard input and output of ``manage.py mcp stdio``, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import BinaryIO

from tests.interaction.wires.http import read
from tests.interaction.wires.wire import STEP_S, Wire
from tests.serving import ROOT

FORKS = "tests.interaction.served.forks"
# asyncio's bound for a line: nothing that a test says is so long.
LINE_BYTES = 2**22


class Forks:
    """The process that is forked for each client. It ends with its socket."""

    def __init__(self, environ: Mapping[str, str], log: BinaryIO) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", FORKS, str(theirs.fileno())],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
            )

    def fork(self, token: str) -> tuple[socket.socket, socket.socket]:
        """Start a server; return our ends of the socket that is its standard input
        and output, as Node starts its children, and of its report.
        """
        ours, theirs = socket.socketpair()
        report, reporting = socket.socketpair()
        with theirs, reporting:
            descriptors = [theirs.fileno(), reporting.fileno()]
            socket.send_fds(self._orders, [token.encode()], descriptors)
        return ours, report

    def close(self) -> None:
        self._orders.close()
        self._process.wait(STEP_S)


class StdioWire(Wire):
    async def start(self) -> None:
        assert self.place.forks is not None
        ours, report = self.place.forks.fork(self.place.token)
        self._from, self._to = await asyncio.open_connection(
            sock=ours, limit=LINE_BYTES
        )
        self._report, self._reporter = await asyncio.open_connection(sock=report)
        self._pid = int(await self._report.readline())

    async def send(self, message: bytes) -> None:
        self._to.write(message + b"\n")
        await self._to.drain()

    async def receive(self) -> bytes | None:
        message = (await self._from.readline()).rstrip(b"\n")
        if message and "id" not in (said := read(message)) and "error" in said:
            self.refused.append(said["error"]["code"])
        return message or None

    async def close(self) -> None:
        """It ends by itself when its client has no more to say."""
        if self._to.is_closing():
            return
        self._to.write_eof()
        assert await self._report.readline() == b"0\n"
        for writer in (self._to, self._reporter):
            writer.close()
            await writer.wait_closed()

    async def cut(self) -> None:
        """A client that gives up may say so by a signal."""
        os.kill(self._pid, signal.SIGTERM)
        await self.close()
