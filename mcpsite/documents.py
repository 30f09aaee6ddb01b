"""The documentation: pages of Markdown, cut into sections by their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from django.conf import settings

MIME_TYPE = "text/markdown"
PROJECT = Path(__file__).resolve().parent.parent

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.+?)(?:\s+#+)?\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"[`*]")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text down to the next heading, of any level.

    ``anchor`` is the heading's fragment, as GitHub makes it. ``trail`` are the
    titles of the headings above it, outermost first. ``line`` counts from 1.
    """

    page: str
    anchor: str
    title: str
    level: int
    trail: tuple[str, ...]
    text: str
    line: int

    @property
    def uri(self) -> str:
        return section_uri(self.page, self.anchor)


@dataclass(frozen=True, slots=True)
class Page:
    """One file of Markdown. ``name`` is its file's name, lower case, no suffix."""

    name: str
    path: Path
    text: str
    sections: tuple[Section, ...]

    @property
    def uri(self) -> str:
        return f"docs://{quote(self.name, safe='')}"

    @property
    def title(self) -> str:
        return self.sections[0].title if self.sections else self.name

    @property
    def summary(self) -> str:
        """The first paragraph of prose, as one line; empty if there is none."""
        for section in self.sections:
            for paragraph in section.text.split("\n\n"):
                line = " ".join(plain(paragraph).split())
                if line and not line.startswith(("#", "|", "```", "~~~", "<", "- ")):
                    return line
        return ""

    @property
    def anchors(self) -> tuple[str, ...]:
        return tuple(section.anchor for section in self.sections)

    def part(self, anchor: str) -> str | None:
        """Return a section's text with its subsections, or None if unknown."""
        parts: list[str] = []
        level = 0
        for section in self.sections:
            if parts and section.level <= level:
                break
            if parts or section.anchor == anchor:
                level = level or section.level
                parts.append(section.text)
        return "\n".join(parts) if parts else None


@dataclass(frozen=True, slots=True)
class Library:
    """All pages by name, README first, then in the order of their names."""

    pages: Mapping[str, Page]

    @classmethod
    def read(cls, root: Path) -> Library:
        """Read ``root/README.md`` and ``root/docs/*.md``; either may be absent."""
        root = root.resolve()
        paths = [*root.glob("README.md"), *sorted((root / "docs").glob("*.md"))]
        pages = [read_page(path) for path in paths]
        return cls(MappingProxyType({page.name: page for page in pages}))

    def sections(self) -> Iterator[Section]:
        for page in self.pages.values():
            yield from page.sections


@cache
def library() -> Library:
    """The site's own documentation, read once in the life of the process."""
    return Library.read(Path(getattr(settings, "DOCS_ROOT", PROJECT)))


def read_page(path: Path) -> Page:
    name = path.stem.lower()
    text = path.read_text(encoding="utf-8")
    return Page(name, path, text, tuple(split_sections(name, text)))


def split_sections(page: str, text: str) -> Iterator[Section]:
    """Cut a page at its headings; text before the first has the page's name."""
    lines = text.splitlines()
    seen: dict[str, int] = {}
    trail: dict[int, str] = {}
    starts = [*headings(lines)]
    if not starts or any(line.strip() for line in lines[: starts[0][0]]):
        starts.insert(0, (0, 1, page))
    ends = [start for start, _, _ in starts[1:]] + [len(lines)]
    for (start, level, title), end in zip(starts, ends, strict=True):
        trail = {depth: name for depth, name in trail.items() if depth < level}
        body = "\n".join(lines[start:end]).strip("\n")
        if body.strip():
            anchor = numbered(anchor_of(title), seen)
            above = tuple(trail.values())
            yield Section(page, anchor, title, level, above, body, start + 1)
        trail[level] = title


def headings(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield (index of the line, level, title) of each heading outside of code."""
    prose = set(prose_lines(lines))
    for index, line in enumerate(lines):
        heading = _HEADING.match(line) if index in prose else None
        if heading:
            yield index, len(heading[1]), plain(heading[2])


def prose_lines(lines: list[str]) -> Iterator[int]:
    """Yield the indexes of the lines that are not in a fenced block of code."""
    fence = ""
    for index, line in enumerate(lines):
        mark = _FENCE.match(line)
        if not fence and not mark:
            yield index
        elif not fence and mark:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""


def plain(markdown: str) -> str:
    """Return inline Markdown without its marks: links as their text."""
    return _MARKUP.sub("", _LINK.sub(r"\1", markdown)).strip()


def section_uri(page: str, anchor: str) -> str:
    """Return the address of a section; a URI holds ASCII only."""
    return f"docs://{quote(page, safe='')}/{quote(anchor, safe='')}"


def anchor_of(title: str) -> str:
    """Return the fragment of a heading.

    >>> anchor_of("Ask the user: `ctx.ask`")
    'ask-the-user-ctxask'
    """
    kept = re.sub(r"[^\w\- ]", "", title.lower())
    return kept.strip().replace(" ", "-")


def numbered(anchor: str, seen: dict[str, int]) -> str:
    """Return ``anchor``, with -1, -2 ... at the second, third ... sight of it."""
    count = seen.get(anchor, 0)
    seen[anchor] = count + 1
    return f"{anchor}-{count}" if count else anchor
