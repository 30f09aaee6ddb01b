"""Reads the steps that README.md tells a reader to follow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECTION = "## Add it to your project"
# A marker in an HTML comment, then the fenced block that it speaks of.
BLOCK = re.compile(
    r"^<!-- (?P<kind>step|call): (?P<what>[^\n]+?) -->\n+"
    r"```[a-z]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# A call by curl, and the block with its answer right after.
CURL = re.compile(
    r"^```sh\n(?P<command>curl .*?)^```\n+^```json\n(?P<answer>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: ``shell``, or ``append``, ``replace``, ``create`` a file."""

    verb: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """The call that ends the steps: a tool, its arguments, and what it answers."""

    tool: str
    arguments: dict[str, Any]
    result: str


def section(readme: Path) -> str:
    """Return the section of the steps, without its heading."""
    text = readme.read_text(encoding="utf-8")
    _, heading, rest = text.partition(f"\n{SECTION}\n")
    assert heading, f"README.md has no section {SECTION!r}"
    return re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def steps(readme: Path) -> list[Step]:
    found = []
    for block in BLOCK.finditer(section(readme)):
        if block["kind"] == "step":
            verb, _, path = block["what"].partition(" ")
            found.append(Step(verb, path, block["text"]))
    return found


def final_call(readme: Path) -> Call:
    calls = [
        Call(block["what"], **json.loads(block["text"]))
        for block in BLOCK.finditer(section(readme))
        if block["kind"] == "call"
    ]
    (call,) = calls
    return call


def curl(readme: Path) -> tuple[str, Any]:
    """Return the call by curl as it is written, and the answer that it promises."""
    (found,) = CURL.finditer(section(readme))
    return found["command"], json.loads(found["answer"])
