from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import threading
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from mcp_transport.engine.context import Context
from mcp_transport.engine.functions import Function
from mcp_transport.protocol.messages import Request
from tests.engine.exchanges import opened, serving

if TYPE_CHECKING:
    from decimal import Decimal


def context() -> Context:
    """Return the context of some call."""
    return Context(opened(serving(), "tools/list"), {})


def as_it_is(value: Any) -> Any:
    return value


async def run(function: Any, **arguments: Any) -> Any:
    return await Function(function)(context(), arguments, as_it_is)


async def test_a_plain_function_runs_on_another_thread() -> None:
    def tool(a: int, *, b: str = "x") -> tuple[int, str, str]:
        return a, b, threading.current_thread().name

    a, b, name = await run(tool, a=1)
    assert (a, b) == (1, "x")
    assert name.startswith("mcp-tool")


async def test_an_async_function_runs_on_the_loop() -> None:
    async def tool(a: int) -> tuple[int, object]:
        return a, asyncio.get_running_loop()

    assert await run(tool, a=1) == (1, asyncio.get_running_loop())


async def test_an_async_partial_runs_on_the_loop() -> None:
    async def tool(a: int, b: int) -> tuple[int, int, object]:
        return a, b, asyncio.get_running_loop()

    function = functools.partial(tool, b=2)
    functools.update_wrapper(function, tool)
    assert await run(function, a=1) == (1, 2, asyncio.get_running_loop())


async def test_a_bare_partial_and_a_callable_object_are_functions_too() -> None:
    async def tool(a: int, b: int) -> tuple[int, int, object]:
        return a, b, asyncio.get_running_loop()

    class Callable:
        async def __call__(self, a: int) -> tuple[int, object]:
            return a, asyncio.get_running_loop()

    loop = asyncio.get_running_loop()
    assert await run(functools.partial(tool, b=2), a=1) == (1, 2, loop)
    assert await run(Callable(), a=1) == (1, loop)


async def test_what_it_returns_is_looked_at_where_it_ran() -> None:
    def plain() -> str:
        return threading.current_thread().name

    async def coroutine() -> str:
        return threading.current_thread().name

    def both(value: str) -> tuple[str, str]:
        return value, threading.current_thread().name

    for function in (plain, coroutine):
        ran_on, looked_at_on = await Function(function)(context(), {}, both)
        assert ran_on == looked_at_on


async def test_a_context_is_given_by_annotation_wherever_it_stands() -> None:
    def first(ctx: Context, a: int) -> tuple[Context, int]:
        return ctx, a

    async def last(a: int, *, anything: Context) -> tuple[Context, int]:
        return anything, a

    given = context()
    assert await Function(first)(given, {"a": 1}, as_it_is) == (given, 1)
    assert await Function(last)(given, {"a": 1}, as_it_is) == (given, 1)
    assert Function(first).injected == {"ctx"}
    assert Function(last).injected == {"anything"}
    assert Function(last).names == ("a", "anything")


def test_a_name_makes_no_context() -> None:
    def tool(ctx: int, context: Request) -> int:
        return ctx

    assert Function(tool).injected == frozenset()


async def test_a_context_may_be_left_out_by_who_calls_the_function() -> None:
    def tool(a: int, ctx: Context | None = None) -> tuple[int, bool]:
        return a, ctx is not None

    assert Function(tool).injected == {"ctx"}
    assert await run(tool, a=1) == (1, True)
    assert tool(1) == (1, False)


def test_two_contexts_are_one_too_many() -> None:
    def tool(a: Context, b: Context) -> int:
        return 1

    with pytest.raises(TypeError, match="only one parameter is a Context"):
        Function(tool)


def test_an_annotation_that_cannot_be_resolved_is_named() -> None:
    def tool(price: Decimal) -> int:
        return 1

    with pytest.raises(TypeError, match="'Decimal' cannot be resolved: import it at"):
        Function(tool)


def test_a_class_is_no_function() -> None:
    with pytest.raises(TypeError, match="Context is a class: decorate a function"):
        Function(Context)


def test_what_it_returns_is_its_annotation() -> None:
    def annotated() -> Annotated[int, "cents"]:
        return 1

    def silent():  # type: ignore[no-untyped-def]
        return 1

    assert Function(annotated).returns == Annotated[int, "cents"]
    assert Function(silent).returns is inspect.Signature.empty


async def test_sys_exit_ends_the_call_and_not_the_process() -> None:
    def plain() -> None:
        sys.exit(3)

    async def coroutine() -> None:
        await asyncio.sleep(0)
        sys.exit(3)

    for function in (plain, coroutine):
        with pytest.raises(RuntimeError, match="called sys.exit") as caught:
            await run(function)
        assert isinstance(caught.value.__cause__, SystemExit)


async def test_a_cancelled_wait_of_its_own_is_a_failure() -> None:
    async def tool() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    with pytest.raises(RuntimeError, match="awaited what was cancelled"):
        await run(tool)


async def test_a_cancel_of_the_call_stays_one() -> None:
    async def tool() -> None:
        await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(run(tool))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
