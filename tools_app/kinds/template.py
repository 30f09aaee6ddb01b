"""The language of prompt templates: names to fill in, and parts to leave out.

``{{ name }}`` stands for the value of an argument, and what is between
``{% if name %}`` and ``{% endif %}`` is left out where the argument is blank;
``{% else %}`` begins what is shown instead. There is nothing else: no attribute,
filter, loop or file can be reached, and a value is never read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_DEPTH = 10
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# A line break after a tag of a condition belongs to the tag.
_TAG = re.compile(r"\{\{([^{}]*)\}\}|\{%([^{}%]*)%\}\n?")
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}")


@dataclass(frozen=True, slots=True)
class _Value:
    name: str

    def render(self, values: Mapping[str, str]) -> Iterator[str]:
        yield values[self.name]


@dataclass(frozen=True, slots=True)
class _Text:
    text: str

    def render(self, values: Mapping[str, str]) -> Iterator[str]:
        yield self.text


@dataclass(slots=True)
class _Condition:
    name: str
    line: int
    shown: list[_Node] = field(default_factory=list)
    otherwise: list[_Node] | None = None

    @property
    def open_part(self) -> list[_Node]:
        return self.shown if self.otherwise is None else self.otherwise

    def render(self, values: Mapping[str, str]) -> Iterator[str]:
        chosen = self.shown if values[self.name].strip() else self.otherwise or ()
        for node in chosen:
            yield from node.render(values)


_Node = _Value | _Text | _Condition


class Template:
    """One template, read once.

    ``names`` are the arguments that it uses. Raises ValueError, naming the line,
    for what is not of the language.
    """

    def __init__(self, source: str) -> None:
        self.names: set[str] = set()
        self._nodes: list[_Node] = []
        self._open: list[_Condition] = []
        self._source = source
        end = 0
        for found in _TAG.finditer(source):
            self._add_text(end, found.start())
            line = self._line(found.start())
            if found[1] is not None:
                self._part.append(_Value(self._name(found[1].strip(), line)))
            else:
                self._add_tag(found[2].split(), line)
            end = found.end()
        self._add_text(end, len(source))
        if self._open:
            line = self._open[-1].line
            raise ValueError(
                f"line {line}: {{% if %}} is never closed by {{% endif %}}"
            )

    def render(self, values: Mapping[str, str]) -> Iterator[str]:
        """Yield the text, piece by piece; ``values`` has all the ``names``."""
        for node in self._nodes:
            yield from node.render(values)

    @property
    def _part(self) -> list[_Node]:
        return self._open[-1].open_part if self._open else self._nodes

    def _add_text(self, start: int, end: int) -> None:
        text = self._source[start:end]
        stray = _STRAY.search(text)
        if stray:
            line = self._line(start + stray.start())
            raise ValueError(f"line {line}: {stray[0]} has no counterpart")
        if text:
            self._part.append(_Text(text))

    def _add_tag(self, words: list[str], line: int) -> None:
        match words:
            case ["if", name]:
                if len(self._open) == MAX_DEPTH:
                    raise ValueError(f"line {line}: nested deeper than {MAX_DEPTH}")
                condition = _Condition(self._name(name, line), line)
                self._part.append(condition)
                self._open.append(condition)
            case ["else"] if self._open and self._open[-1].otherwise is None:
                self._open[-1].otherwise = []
            case ["endif"] if self._open:
                self._open.pop()
            case ["else"] | ["endif"]:
                raise ValueError(f"line {line}: {{% {words[0]} %}} without {{% if %}}")
            case _:
                raise ValueError(
                    f"line {line}: {{% {' '.join(words)[:40]} %}} is unknown; there "
                    "are {% if NAME %}, {% else %} and {% endif %}"
                )

    def _name(self, text: str, line: int) -> str:
        if not NAME.fullmatch(text):
            raise ValueError(
                f"line {line}: {text[:40]!r} is no name of an argument: nothing but "
                "letters, digits and _ can stand there"
            )
        self.names.add(text)
        return text

    def _line(self, position: int) -> int:
        return self._source.count("\n", 0, position) + 1
