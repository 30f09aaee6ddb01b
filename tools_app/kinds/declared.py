"""Functions whose parameters are declared by data, not by code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """Return a parameter; ``inspect.Parameter.empty`` makes it required."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def declared(
    function: F, parameters: Iterable[inspect.Parameter], returns: Any = None
) -> F:
    """Let ``function``, which takes any keyword, say that it takes these."""
    found = list(parameters)
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        found, return_annotation=returns
    )
    function.__annotations__ = {p.name: p.annotation for p in found}
    function.__annotations__["return"] = returns
    return function
