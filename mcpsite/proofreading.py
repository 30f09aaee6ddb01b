"""Checks pages of Markdown: their links, their code, and what they say twice."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal
from urllib.parse import unquote, urlsplit

from mcpsite.documents import Library, Page, prose_lines

Fault = Literal["link", "code", "repetition"]

MIN_PASSAGE_CHARS = 160
ALIKE = 0.9  # of 1, which is the same text

_PARSE_ONLY = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_TARGET = re.compile(r"\]\(\s*<?([^()\s<>]+)")
_CODE_SPAN = re.compile(r"`+[^`]*`+")
_FENCED = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=fence)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; ``line`` counts from 1."""

    page: str
    line: int
    fault: Fault
    message: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph long enough to be worth saying once."""

    page: str
    line: int
    text: str


def proofread(library: Library, page: Page) -> list[Finding]:
    """Return what is wrong with a page, in the order of its lines."""
    findings = [
        *check_links(library, page),
        *check_code(page),
        *check_repetition(library, page),
    ]
    return sorted(findings, key=lambda finding: finding.line)


def check_links(library: Library, page: Page) -> Iterator[Finding]:
    """Find links that lead to no file and no heading of this project.

    Addresses on the web are not visited.
    """
    lines = page.text.splitlines()
    for index in prose_lines(lines):
        for match in _TARGET.finditer(_CODE_SPAN.sub("", lines[index])):
            fault = _dead_end(library, page, match[1])
            if fault:
                yield Finding(page.name, index + 1, "link", fault)


def check_code(page: Page) -> Iterator[Finding]:
    """Find blocks of Python and JSON that do not parse."""
    for match in _FENCED.finditer(page.text):
        fault = _syntax_fault(match["language"].lower(), match["code"])
        if fault:
            line = page.text.count("\n", 0, match.start()) + 1
            yield Finding(page.name, line, "code", fault)


def check_repetition(library: Library, page: Page) -> Iterator[Finding]:
    """Find passages that an earlier one, here or on a page before, says as well.

    Every passage is compared with every earlier one, which takes its time.
    """
    earlier: list[Passage] = []
    for other in library.pages.values():
        if other is page:
            break
        earlier += passages(other)
    for passage in passages(page):
        twin = next((each for each in earlier if alike(each.text, passage.text)), None)
        if twin:
            message = f"says again what {twin.page} says in line {twin.line}"
            yield Finding(page.name, passage.line, "repetition", message)
        earlier.append(passage)


def passages(page: Page) -> Iterator[Passage]:
    """Yield the long paragraphs of a page's prose, each as one line of text."""
    lines = page.text.splitlines()
    prose = set(prose_lines(lines))
    gathered: list[str] = []
    for index in range(len(lines) + 1):
        if index in prose and lines[index].strip():
            gathered.append(lines[index].strip())
            continue
        text = " ".join(gathered)
        if len(text) >= MIN_PASSAGE_CHARS:
            yield Passage(page.name, index - len(gathered) + 1, text)
        gathered = []


def alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    # Each is an upper bound of the next, and far cheaper.
    return (
        matcher.real_quick_ratio() >= ALIKE
        and matcher.quick_ratio() >= ALIKE
        and matcher.ratio() >= ALIKE
    )


def _dead_end(library: Library, page: Page, target: str) -> str | None:
    """Return why a link leads nowhere, or None."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    path = (page.path.parent / unquote(parts.path)).resolve()
    if parts.path and not path.exists():
        return f"{target}: there is no such file"
    goal = next((each for each in library.pages.values() if each.path == path), None)
    if not parts.path:
        goal = page
    if parts.fragment and goal and parts.fragment not in goal.anchors:
        return f"{target}: {goal.name} has no such heading"
    return None


def _syntax_fault(language: str, code: str) -> str | None:
    """Return why code of a language that we can read does not parse, or None."""
    try:
        match language:
            case "python" | "py":
                compile(code, "example", "exec", _PARSE_ONLY)
            case "json":
                json.loads(code)
    except (SyntaxError, ValueError) as error:
        return f"{language}: {error}"
    return None
