"""The tables and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.servers import LEAN, Mount

# At most this many times what the bare server costs, for the lean tools/call.
TARGETS = {"daphne": 1.4, "uvicorn": 4.0}


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one case on one mount."""

    cpu_us: float
    redis_us: float
    per_s: float
    p50_ms: float
    p99_ms: float
    busy: float

    @classmethod
    def of(
        cls, cpu_s: float, redis_s: float, seconds: float, latencies_s: list[float]
    ) -> Sample:
        count = len(latencies_s)
        ordered = sorted(latencies_s)
        return cls(
            cpu_us=cpu_s / count * 1e6,
            redis_us=redis_s / count * 1e6,
            per_s=count / seconds,
            p50_ms=ordered[count // 2] * 1e3,
            p99_ms=ordered[count * 99 // 100] * 1e3,
            busy=cpu_s / seconds,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """All rounds of one case on one mount, and those of two others: the bare
    server and, where this one keeps its state in Redis, ours with memory.
    """

    case: str
    server: str
    mount: Mount
    samples: Sequence[Sample]
    bare: Sequence[Sample]
    memory: Sequence[Sample]

    @property
    def ratio(self) -> float:
        return _ratio(self.samples, self.bare)

    def cells(self) -> list[str]:
        def middle(name: str) -> float:
            return median(float(getattr(sample, name)) for sample in self.samples)

        redis = self.mount.redis
        return [
            self.case,
            self.server,
            self.mount.name,
            f"{middle('cpu_us'):.0f}",
            f"{self.ratio:.2f}",
            f"{_ratio(self.samples, self.memory):.2f}" if redis else "",
            f"{middle('redis_us'):.0f}" if redis else "",
            f"{middle('per_s'):.0f}",
            f"{middle('p50_ms'):.2f}",
            f"{middle('p99_ms'):.2f}",
            f"{middle('busy'):.0%}",
        ]


def _ratio(samples: Sequence[Sample], others: Sequence[Sample]) -> float:
    """Return the median of the rounds' own ratios: drift falls out of it."""
    pairs = zip(samples, others, strict=True)
    return median(own.cpu_us / other.cpu_us for own, other in pairs)


HEADINGS = (
    "case",
    "server",
    "mount",
    "CPU us",
    "x bare",
    "x memory",
    "Redis us",
    "req/s",
    "p50 ms",
    "p99 ms",
    "busy",
)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up."""
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(headings))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| "
        + " | ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        )
        + " |"
        for line in (lines[0], rule, *lines[1:])
    )


def verdict(rows: Iterable[Row]) -> str:
    """Say in one line whether each lean tools/call keeps to its target."""
    judged = [
        f"{row.case} on {row.server} {row.ratio:.2f} x bare, target "
        f"{TARGETS[row.server]:g}: "
        + ("met" if row.ratio <= TARGETS[row.server] else "MISSED")
        for row in rows
        if row.mount == LEAN and row.case.startswith("call-")
    ]
    return "; ".join(judged) or "no lean tools/call was measured"
