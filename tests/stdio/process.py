"""``manage.py mcp stdio`` in a process of its own, as its client has it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST
from tests.serving import ROOT

Json = dict[str, Any]
COMMAND = [sys.executable, "-W", "error", "-m", "django", "mcp", "stdio"]
# How long anything may take that is to happen. Nothing waits this long.
PATIENCE_S = 30


def request(id: int | str, method: str, **params: Any) -> bytes:
    """Write a request at the newest revision, which needs no handshake."""
    meta = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    return json.dumps({**message, "params": {**params, "_meta": meta}}).encode()


def call(id: int | str, tool: str, **arguments: Any) -> bytes:
    return request(id, "tools/call", name=tool, arguments=arguments)


def text_of(message: Json) -> str:
    text: str = message["result"]["content"][0]["text"]
    return text


class Stdio:
    """A server and both ends of its pipes. ``said`` is all that it wrote to
    standard error; ``marks`` is where its tools leave their marks; ``redirect``
    is what a shell is told to do with its descriptors.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environ: dict[str, str],
        directory: Path,
        *,
        stdin: int | IO[bytes] = subprocess.PIPE,
        stdout: int | IO[bytes] = subprocess.PIPE,
        redirect: str = "",
        more: dict[str, str] | None = None,
    ) -> None:
        self.marks = directory
        self._log = directory / "stderr.log"
        self._heard = bytearray()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" {redirect}', "bash", *COMMAND, *arguments],
                cwd=ROOT,
                env={**environ, **(more or {})},
                stdin=stdin,
                stdout=stdout,
                stderr=log,
                bufsize=0,
            )

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def says(self, *lines: bytes) -> None:
        self.writes(b"".join(line + b"\n" for line in lines))

    def writes(self, data: bytes) -> None:
        stdin, rest = self.process.stdin, memoryview(data)
        assert stdin is not None
        while rest:
            rest = rest[stdin.write(rest) :]

    def hears(self) -> Json:
        """Return the next line, which must be JSON and be there in time."""
        while b"\n" not in self._heard:
            assert self._hears_more(), f"the server has gone:\n{self.said()}"
        line, _, self._heard = self._heard.partition(b"\n")
        message: Json = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    def _hears_more(self) -> bool:
        """False when there is no more to hear."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        assert ready, f"nothing was heard:\n{self.said()}"
        chunk = self.process.stdout.read(65_536)
        self._heard += chunk
        return bool(chunk)

    def sees(self, mark: str) -> None:
        """Wait until a tool has left its mark."""
        ends_at = time.monotonic() + PATIENCE_S
        while not (self.marks / mark).exists():
            assert time.monotonic() < ends_at, self.said()
            time.sleep(0.01)

    def hangs_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def deafens(self) -> None:
        """Close the client's end of standard output."""
        assert self.process.stdout is not None
        self.process.stdout.close()

    def ends(self) -> list[Json]:
        """Wait for the end, which must be a clean one; return what was not heard."""
        stdout = self.process.stdout
        while stdout is not None and not stdout.closed and self._hears_more():
            pass
        assert self.process.wait(PATIENCE_S) == 0, self.said()
        assert "Traceback" not in self.said()
        return [json.loads(line) for line in self._heard.splitlines()]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
