"""A user's function, plain or async, called from the event loop."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mcp_transport.engine.calls import told_to_end
from mcp_transport.engine.context import Context
from mcp_transport.protocol.signature import defined_by, hints_of, name_of

R = TypeVar("R")


class Function:
    """Calls ``function`` by keyword, and gives it the Context if it wants one.

    An async function runs on the event loop, a plain one on the bounded pool
    of threads. Raises TypeError for a class, and for annotations that cannot be
    resolved.
    """

    __slots__ = ("_function", "_is_async", "context_name", "hints", "names")

    def __init__(self, function: Callable[..., Any]) -> None:
        if inspect.isclass(function):
            raise TypeError(f"{function.__qualname__} is a class: decorate a function")
        try:
            self.hints = hints_of(function)
        except TypeError as error:
            raise TypeError(f"{name_of(function)}: {error}") from None
        self._function = function
        self._is_async = inspect.iscoroutinefunction(defined_by(function))
        self.names = tuple(inspect.signature(function).parameters)
        wanted = [name for name in self.names if _is_context(self.hints.get(name))]
        if len(wanted) > 1:
            raise TypeError(f"{name_of(function)}: only one parameter is a Context")
        self.context_name = wanted[0] if wanted else None

    @property
    def module(self) -> str:
        """The name of the module that the function is defined in."""
        return str(defined_by(self._function).__module__)

    @property
    def returns(self) -> Any:
        """The return annotation; ``inspect.Signature.empty`` without one."""
        return self.hints.get("return", inspect.Signature.empty)

    @property
    def injected(self) -> frozenset[str]:
        """The names of parameters that no client gives."""
        return frozenset(() if self.context_name is None else (self.context_name,))

    async def __call__(
        self,
        context: Context,
        arguments: Mapping[str, Any],
        encode: Callable[[Any], R],
    ) -> R:
        """Call the function and return what ``encode`` makes of its value.

        Both run in the same place: what a plain function returns may still read
        from the database when it is looked at.
        """
        if self.context_name is not None:
            arguments = {**arguments, self.context_name: context}
        try:
            if self._is_async:
                return encode(await self._function(**arguments))
            return await context.run_sync(lambda: encode(self._function(**arguments)))
        except SystemExit as error:
            # Meant for a command line; here it would end the whole process.
            raise RuntimeError("the function called sys.exit") from error
        except asyncio.CancelledError as error:
            if told_to_end():
                raise
            raise RuntimeError("the function awaited what was cancelled") from error


def _is_context(hint: Any) -> bool:
    """Tell whether it is Context, or Context | None of who calls the function too."""
    return Context in (hint, *typing.get_args(hint))
