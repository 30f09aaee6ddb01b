"""Suggestions for the value of an argument.

Spec: 2026-07-28 server/utilities/completion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mcp_transport.engine.context import Context
from mcp_transport.engine.functions import Function

MAX_VALUES = 100
Source = Iterable[str] | Callable[..., Any]


class Completions:
    """Where the suggestions for each argument come from.

    A source is either all the values there are, or a function (plain or
    async) of the text typed so far, ``value``, that returns suggestions. It
    may also take ``arguments``, the other arguments given so far, and a
    Context.
    """

    __slots__ = ("_sources", "known")

    def __init__(self, sources: Mapping[str, Source], known: Iterable[str]) -> None:
        self.known = frozenset(known)
        unknown = sorted(set(sources) - self.known)
        if unknown:
            raise ValueError(f"completions for no argument: {', '.join(unknown)}")
        self._sources = {
            name: _Computed(source) if callable(source) else tuple(source)
            for name, source in sources.items()
        }

    async def complete(
        self, context: Context, name: str, value: str, arguments: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return ``{"values": [...], "total": n, "hasMore": bool}``."""
        source = self._sources.get(name, ())
        if isinstance(source, _Computed):
            values = await source(context, value, arguments)
        else:
            values = ranked(source, value)
        return {
            "values": values[:MAX_VALUES],
            "total": len(values),
            "hasMore": len(values) > MAX_VALUES,
        }


class _Computed:
    """A source that is a function."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = Function(function)
        wanted = set(self._function.names) - self._function.injected
        if not {"value"} <= wanted <= {"value", "arguments"}:
            raise TypeError(
                "a function that completes takes value, and may take arguments "
                "and a Context"
            )

    async def __call__(
        self, context: Context, value: str, arguments: Mapping[str, str]
    ) -> list[str]:
        given: dict[str, Any] = {"value": value}
        if "arguments" in self._function.names:
            given["arguments"] = dict(arguments)
        return await self._function(context, given, _texts)


def _texts(values: Iterable[Any]) -> list[str]:
    return [str(value) for value in values]


def ranked(values: Iterable[str], typed: str) -> list[str]:
    """Return the values that hold what was typed, those that begin so first."""
    typed = typed.casefold()
    folded = [(value.casefold(), value) for value in values]
    begin = [value for key, value in folded if key.startswith(typed)]
    hold = [v for key, v in folded if typed in key and not key.startswith(typed)]
    return begin + hold
