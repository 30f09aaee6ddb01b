"""A journal: one line of JSON for each thing that happened, in one file.

The clients keep one, and all server processes together another.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Journal:
    """Appends to a file. Each entry is one write, so that it is there as a whole,
    however its process ends, and any number of processes may share the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, what: str, **said: Any) -> None:
        """Note ``what`` happened now: ``at`` counts the seconds of a clock that all
        processes of this machine share.
        """
        entry = {"what": what, "at": time.monotonic(), **said}
        os.write(self._file, json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        os.close(self._file)


def entries(path: Path) -> list[Entry]:
    """Return what a journal holds, in the order in which it was written."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
