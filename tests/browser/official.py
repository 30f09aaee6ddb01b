"""An official client, connected for as long as a test wants it to be."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import peers

PROGRAM = peers.ROOT / "tests" / "clients" / "programs" / "attending.py"
ENVIRONMENT = "python-sdk-1.30"
PATIENCE_S = 30


class Attending:
    """What the client says is taken in order; what it hears may come between."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._heard: queue.Queue[str] = queue.Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "heard" in said:
                self._heard.put(said["heard"])
            else:
                self._said.put(said)
        self._said.put(None)

    def heard(self) -> str:
        """Return the method of the next notification. Raises queue.Empty."""
        return self._heard.get(timeout=PATIENCE_S)

    def next(self) -> dict[str, Any]:
        said = self._said.get(timeout=PATIENCE_S)
        assert said is not None, "the client has ended"
        return said

    def do(self, what: str, **order: Any) -> Any:
        """Have something done that is to be possible; return what came of it."""
        said = self._order(what, order)
        assert "done" in said, said
        return said["done"]

    def is_refused(self, what: str, **order: Any) -> str:
        said = self._order(what, order)
        assert "refused" in said, said
        text: str = said["refused"]
        return text

    def _order(self, what: str, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **order}) + "\n")
        self._process.stdin.flush()
        return self.next()

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join(PATIENCE_S)
        self._process.stdout.close()


@contextmanager
def attending(url: str, token: str, log: Path) -> Iterator[Attending]:
    """Connect the Python SDK to an endpoint; what it logs goes to a file."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            [peers.python(ENVIRONMENT), PROGRAM, url],
            env={**peers.surroundings(), "TOKEN": token},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        client = Attending(process)
        try:
            assert client.next() == {"ready": True}, log.read_text()
            yield client
        finally:
            client.end()
