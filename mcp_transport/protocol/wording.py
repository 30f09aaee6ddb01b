"""Faults in arguments, in words that a model can act on.

Spec: 2026-07-28 server/tools #error-handling (input validation errors are
tool errors, so that the model can correct itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic_core import to_json

from mcp_transport.protocol.content import encodable

MAX_FAULTS = 10  # named in one error; more are counted
MAX_QUOTE = 60  # characters of a value that a message repeats
MAX_REASON = 300  # characters of one fault


class ArgumentError(ValueError):
    """The arguments of a call do not fit: the text says which and why."""


class OutputError(ValueError):
    """A tool returned what its own declaration does not allow."""


def argument_error(faults: Sequence[str]) -> ArgumentError:
    """Return the error that names the first of ``faults`` and counts the others."""
    lines = [f"- {shorten(fault, MAX_REASON)}" for fault in faults[:MAX_FAULTS]]
    if len(faults) > len(lines):
        lines.append(f"- and {len(faults) - len(lines)} more")
    return ArgumentError("Invalid arguments:\n" + "\n".join(lines))


def place(path: Iterable[str | int]) -> str:
    """Return a path into the arguments as ``order.lines[2].sku``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return shorten(text, MAX_QUOTE)


def unknown(name: str, known: Sequence[str]) -> str:
    """Return the words for an argument that is not among the ``known``."""
    folded = {other.casefold(): other for other in known}
    near = get_close_matches(name[:MAX_QUOTE].casefold(), folded, n=1)
    if near:
        return f"unknown argument; did you mean {quote(folded[near[0]])}?"
    if not known:
        return "unknown argument; there are no arguments here"
    names = ", ".join(known[:MAX_FAULTS])
    return f"unknown argument; known: {names}{', …' if known[MAX_FAULTS:] else ''}"


def quote(value: object) -> str:
    """Return a short JSON form of a value that came from JSON."""
    if isinstance(value, str):
        value = encodable(value[: MAX_QUOTE + 1])
    elif isinstance(value, list | dict) and value:
        return "a list" if isinstance(value, list) else "an object"
    elif isinstance(value, int) and value.bit_length() > 256:
        return "a very large number"
    return shorten(to_json(value, inf_nan_mode="constants").decode(), MAX_QUOTE)


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
