"""What a function's docstring says, for the model that will call it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import docstring_parser

_GOOGLE = re.compile(r"(?:Args|Arguments|Parameters|Params|Keyword Args):\s*")
_NUMPY = re.compile(r"(?:Other )?Parameters\s*")
_UNDERLINE = re.compile(r"-{3,}\s*")
_REST = re.compile(r":(?:param|parameter|arg|argument|key|keyword|type)\s[^:]*:.*")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Description:
    """The text without its section of arguments, and the arguments' own texts."""

    text: str
    arguments: dict[str, str] = field(default_factory=dict)


def describe(function: Callable[..., Any]) -> Description:
    """Read a docstring in the style of Google, NumPy or reST."""
    source = inspect.getdoc(function) or ""
    try:
        params = docstring_parser.parse(source).params
    except docstring_parser.ParseError:
        params = []
    arguments = {
        param.arg_name.lstrip("*"): " ".join(param.description.split())
        for param in params
        if param.description and param.args[0] != "attribute"
    }
    if arguments:
        source = "\n".join(_without_arguments(source.splitlines()))
    return Description(_BLANK_LINES.sub("\n\n", source).strip(), arguments)


def _without_arguments(lines: list[str]) -> Iterator[str]:
    style = ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        underlined = _UNDERLINE.fullmatch(following) is not None
        if _GOOGLE.fullmatch(line):
            style = "google"
        elif _NUMPY.fullmatch(line) and underlined:
            style = "numpy"
        elif _REST.fullmatch(line):
            style = "rest"
        elif style == "numpy":
            style = "" if underlined else style
        elif line and not line[0].isspace():
            style = ""
        if not style:
            yield line
