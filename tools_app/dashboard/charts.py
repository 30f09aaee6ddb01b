"""Figures as shapes, for the templates to draw as SVG.

A chart of time is as wide as it has steps, and a hundred high; the page stretches
it, and writes the words around it. What goes into an attribute is text already, so
that no locale puts a comma into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from tools_app.ledger.durations import LEAST_MS

HEIGHT = 100
# Where the axis of time has a word, as shares of its width.
QUARTERS = 4
BAR_WIDTH = 0.8


@dataclass(frozen=True, slots=True)
class Rect:
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of figures: ``kind`` is its class of CSS. It is drawn by ``bars`` or,
    as a line, by ``path``.
    """

    kind: str
    label: str
    bars: Sequence[Rect] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What there is to say of one step, to who points at it or reads the table."""

    x: int
    moment: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class TimeChart:
    """``heights`` are the words of the upright axis from the top, evenly spaced, and
    ``moments`` those of the axis of time at each quarter.
    """

    name: str
    title: str
    summary: str
    series: Sequence[Series]
    steps: Sequence[Step]
    heights: Sequence[str]
    moments: Sequence[str]

    @property
    def width(self) -> int:
        return len(self.steps)

    @property
    def grid(self) -> str:
        """The path of a line at each word of the axes."""
        apart = HEIGHT / (len(self.heights) - 1)
        levels = [_text(apart * n) for n in range(len(self.heights))]
        quarters = [_text(self.width * n / QUARTERS) for n in range(1, QUARTERS)]
        return "".join(
            [f"M0 {y}H{self.width}" for y in levels]
            + [f"M{x} 0V{HEIGHT}" for x in quarters]
        )


@dataclass(frozen=True, slots=True)
class Rank:
    """One line of a ranking: ``bars`` are shares of the widest in percent, drawn over
    each other, each with its class of CSS.
    """

    label: str
    query: str
    bars: Sequence[tuple[str, str]]
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Ranking:
    name: str
    title: str
    headers: Sequence[str]
    ranks: Sequence[Rank]
    nothing: str


def rounded_up(count: int) -> int:
    """Return the end of an axis that holds ``count``, such that its half is round too:
    2, 4, 6, 8 or 10 times a power of ten.
    """
    power = 10 ** floor(log10(max(count, 1)))
    times = next(times for times in (2, 4, 6, 8, 10) if count <= times * power)
    return int(times * power)


def stacked(counts: Sequence[Sequence[int]], end: int) -> list[list[Rect]]:
    """Return the bars of each series, one upon the other, of its count in each step.

    ``end`` is the count at the top. A step without any has no bar.
    """
    floors = [0.0] * max((len(series) for series in counts), default=0)
    drawn: list[list[Rect]] = []
    for series in counts:
        bars = []
        for place, count in enumerate(series):
            if not count:
                continue
            height = HEIGHT * count / end
            floors[place] += height
            bars.append(
                Rect(
                    _text(place + (1 - BAR_WIDTH) / 2),
                    _text(HEIGHT - floors[place]),
                    _text(BAR_WIDTH),
                    _text(height),
                )
            )
        drawn.append(bars)
    return drawn


def decades(values: Iterable[float]) -> tuple[int, int]:
    """Return the powers of ten that an axis of ``values`` goes from and to."""
    powers = [log10(max(value, LEAST_MS)) for value in values] or [0.0]
    least = floor(min(powers))
    return least, max(ceil(max(powers)), least + 1)


def line(values: Sequence[float | None], least: int, most: int) -> str:
    """Return the path through the middles of the steps, interrupted where there is
    nothing; its axis is logarithmic, between these powers of ten.

    One value by itself is a line without length: a dot, by its round ends.
    """

    def point(place: int, value: float) -> str:
        level = (log10(max(value, LEAST_MS)) - least) / (most - least)
        return f"{_text(place + 0.5)} {_text(HEIGHT * (1 - level))}"

    pieces: list[str] = []
    is_drawn = False
    for place, value in enumerate(values):
        if value is not None:
            at = point(place, value)
            pieces.append(f"L{at}" if is_drawn else f"M{at}L{at}")
        is_drawn = value is not None
    return "".join(pieces)


def share(value: float | None, widest: float) -> str:
    """Return a part of a hundred; what is there at all can be seen."""
    if not value or not widest:
        return "0"
    return _text(max(1.0, ceil(1000 * value / widest) / 10))


def _text(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
