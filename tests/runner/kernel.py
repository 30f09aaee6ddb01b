"""What the kernel says of a process and of its connections."""

from __future__ import annotations

import re
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Return how much memory a process has."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and that run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return sorted(int(child) for child in listed.split())
