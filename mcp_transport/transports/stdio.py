"""Standard input and output: one message a line, both ways.

The descriptors may be of any kind: pipes, sockets, a terminal, regular files.

Spec: 2026-07-28 basic/transports/stdio; 2025-11-25 basic/transports #stdio.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from mcp_transport.connections import close_shared_connections
from mcp_transport.engine.exchange import Binding
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.framing import LineDecoder, frame_line
from mcp_transport.protocol.revisions import STATEFUL, STATELESS

logger = logging.getLogger("mcp_transport")

BINDING = Binding("stdio", STATEFUL, STATELESS)
CHUNK_BYTES = 65_536
# How much is read before it is asked for: 1 MiB.
CHUNKS_AHEAD = 16


def reserve() -> tuple[int, int]:
    """Keep standard input and output for messages; return their descriptors.

    From here on print() and child processes write to standard error, and read
    an empty standard input. There is no way back: a tool that outlives its
    client must not write to it either.

    Raises OSError where one of the three was closed by whoever started us:
    their numbers may stand for anything by now.
    """
    if None in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        raise OSError("standard input, output and error must be open")
    # Neither is inherited by child processes.
    input_fd, output_fd = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    # print() is to be seen at once, in its place among the log messages.
    sys.stdout = sys.stderr
    return input_fd, output_fd


class StdioTransport:
    """A client behind two descriptors, which are closed when it has gone.

    ``gone`` is called as soon as that is seen, from any thread and perhaps more
    than once: the loop may be busy.
    """

    def __init__(
        self, server: Server, input_fd: int, output_fd: int, gone: Callable[[], None]
    ) -> None:
        self._server = server
        self._input = input_fd
        self._output = output_fd
        self._gone = gone
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(CHUNKS_AHEAD)
        self._decoder = LineDecoder(server.limits.max_body_bytes)
        self._lines: deque[bytes | ProtocolError] = deque()
        self._ended = False
        self._unsent = bytearray()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        threading.Thread(
            target=self._read, args=[loop], name="mcp-stdin", daemon=True
        ).start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read ahead, in a thread: no loop can wait for a regular file, and one
        that is busy would not see that the client has gone.
        """
        chunk = b"not the end"
        while chunk:
            self._room.acquire()
            try:
                # Whoever shares the descriptor may have made it non-blocking.
                select.select([self._input], [], [])
                chunk = os.read(self._input, CHUNK_BYTES)
            except OSError:
                chunk = b""  # a terminal that hung up, a connection that was reset
            if not chunk:
                self._gone()
            with suppress(RuntimeError):  # the loop was closed: all is over
                loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
        os.close(self._input)

    async def receive(self) -> bytes | None:
        # What the message before has begun gets its turn, however many there are.
        await asyncio.sleep(0)
        while not self._lines:
            if self._ended:
                # A stream of changes would end by itself never.
                self._server.end_streams()
                return None
            chunk = await self._chunks.get()
            self._room.release()
            self._ended = not chunk
            # The last line may lack its end.
            self._lines += self._decoder.feed(chunk or b"\n")
        line = self._lines.popleft()
        if isinstance(line, ProtocolError):
            raise line
        return line

    async def send(self, message: bytes) -> None:
        self._unsent += frame_line(message)
        await self._flush()
        close_shared_connections()

    async def close(self) -> None:
        try:
            # A line that was begun is ended, whatever interrupted it.
            with suppress(ConnectionError):
                await self._flush()
        finally:
            os.close(self._output)

    def error(self, error: ProtocolError) -> None:
        logger.warning("a message could not be understood (%d)", error.code)

    async def _flush(self) -> None:
        try:
            while self._unsent:
                await self._writable()
                # So much is taken without blocking, whatever the descriptor's mode.
                written = os.write(self._output, self._unsent[: select.PIPE_BUF])
                del self._unsent[:written]
        except OSError as error:
            self._unsent.clear()
            self._gone()
            # Whoever does not listen is not listened to any more.
            self._chunks.put_nowait(b"")
            raise ConnectionError("standard output takes no more") from error

    async def _writable(self) -> None:
        """Wait until the client takes more: what it does not read, we do not make."""
        loop = asyncio.get_running_loop()
        writable = asyncio.Event()
        try:
            loop.add_writer(self._output, writable.set)
        except PermissionError:
            return  # a regular file takes more at any time
        try:
            await writable.wait()
        finally:
            loop.remove_writer(self._output)
