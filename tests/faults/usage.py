"""What a server process holds: read from /proc, and its tasks from itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy.servers import Served
from tests.faults import stateless
from tests.faults.verdict import require

MB = 1_048_576
RESET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Usage:
    """At one moment. ``fds`` are open file descriptors, ``tasks`` asyncio's."""

    rss_bytes: int
    fds: int
    threads: int
    tasks: int

    @classmethod
    async def of(cls, served: Served) -> Usage:
        """Read it from a server that serves tests.faults.served.

        Raises Lost, and Refused.
        """
        result = await stateless.use(served, "tasks", {})
        return cls(
            rss_bytes=status(served.pid, "VmRSS") * 1024,
            fds=open_fds(served.pid),
            threads=status(served.pid, "Threads"),
            tasks=int(result["content"][0]["text"]),
        )

    def require_back_at(self, before: Usage) -> None:
        """I5: nothing is left of those who are gone. Raises Failed."""
        for name in ("fds", "threads", "tasks"):
            more = getattr(self, name) - getattr(before, name)
            require(abs(more) <= 5, f"{more:+} {name} in the end")

    def more_than(self, before: Usage) -> str:
        return (
            f"{mb(self.rss_bytes - before.rss_bytes)}, {self.fds - before.fds:+} fds, "
            f"{self.threads - before.threads:+} threads, "
            f"{self.tasks - before.tasks:+} tasks"
        )


def status(pid: int, name: str) -> int:
    """Return a number of /proc/PID/status; sizes are in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    raise LookupError(f"/proc/{pid}/status has no {name}")


def open_fds(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def forget_peak(pid: int) -> None:
    """Let the kernel measure the peak of the memory from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)


def peak_bytes(pid: int) -> int:
    """Return the most memory that was resident since ``forget_peak``."""
    return status(pid, "VmHWM") * 1024


def listen_overflows() -> int:
    """Return how many connections the listen queues of our network have dropped."""
    lines = Path("/proc/net/netstat").read_text().splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("TcpExt:"))
    counts = dict(zip(names, map(int, values), strict=True))
    return counts["ListenOverflows"] + counts["ListenDrops"]


def mb(count: int) -> str:
    return f"{count / MB:+.0f} MB"
