from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mcp_transport.engine.completing import MAX_VALUES, Completions, Source, ranked
from mcp_transport.engine.context import Context
from tests.engine.exchanges import opened, serving


async def complete(source: Source, value: str, **arguments: str) -> dict[str, Any]:
    completions = Completions({"a": source}, ["a", "b"])
    context = Context(opened(serving(), "tools/list"), {})
    return await completions.complete(context, "a", value, arguments)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["Oslo", "Bergen", "Bodø", "Tromsø"]),
        ("b", ["Bergen", "Bodø"]),
        ("B", ["Bergen", "Bodø"]),
        ("o", ["Oslo", "Bodø", "Tromsø"]),
        ("SØ", ["Tromsø"]),
        ("oslo", ["Oslo"]),
        ("x", []),
        (".*", []),
    ],
)
def test_what_begins_so_comes_before_what_holds_it(
    typed: str, found: list[str]
) -> None:
    assert ranked(["Oslo", "Bergen", "Bodø", "Tromsø"], typed) == found


async def test_a_list_is_searched() -> None:
    found = await complete(["red", "green", "dark red"], "red")
    assert found == {"values": ["red", "dark red"], "total": 2, "hasMore": False}


async def test_an_iterator_is_read_once_and_kept() -> None:
    completions = Completions({"a": iter(["x", "y"])}, ["a"])
    context = Context(opened(serving(), "tools/list"), {})
    for _ in range(2):
        found = await completions.complete(context, "a", "", {})
        assert found["values"] == ["x", "y"]


@pytest.mark.parametrize(
    ("count", "more"), [(0, False), (MAX_VALUES, False), (MAX_VALUES + 1, True)]
)
async def test_at_most_a_hundred_are_sent_and_all_are_counted(
    count: int, more: bool
) -> None:
    names = [f"n{n:04}" for n in range(count)]
    for source in (names, lambda value: names):
        found = await complete(source, "n")
        assert found == {"values": names[:100], "total": count, "hasMore": more}


async def test_a_function_decides_by_itself() -> None:
    def plain(value: str) -> Iterator[object]:
        yield value.upper()
        yield 7

    async def coroutine(value: str, arguments: dict[str, str]) -> list[str]:
        return [f"{value}-{arguments['b']}"]

    def knowing(ctx: Context, value: str) -> list[str]:
        return [ctx.caller.subject]

    assert (await complete(plain, "x"))["values"] == ["X", "7"]
    assert (await complete(coroutine, "x", b="y"))["values"] == ["x-y"]
    assert (await complete(knowing, "x"))["values"] == ["anonymous"]


async def test_a_function_cannot_change_what_the_client_sent() -> None:
    given = {"b": "y"}

    def source(value: str, arguments: dict[str, str]) -> list[str]:
        arguments["b"] = "changed"
        return []

    completions = Completions({"a": source}, ["a", "b"])
    context = Context(opened(serving(), "tools/list"), {})
    await completions.complete(context, "a", "", given)
    assert given == {"b": "y"}


async def test_an_argument_without_a_source_has_no_suggestions() -> None:
    completions = Completions({}, ["a"])
    context = Context(opened(serving(), "tools/list"), {})
    assert completions.known == {"a"}
    found = await completions.complete(context, "a", "x", {})
    assert found == {"values": [], "total": 0, "hasMore": False}


def test_suggestions_for_no_argument_are_the_developers_fault() -> None:
    with pytest.raises(ValueError, match="completions for no argument: x, y"):
        Completions({"y": [], "a": [], "x": []}, ["a"])


def test_a_function_that_takes_anything_else_is_the_developers_fault() -> None:
    def typo(vlaue: str) -> list[str]:
        return []

    def greedy(value: str, more: str) -> list[str]:
        return []

    for function in (typo, greedy):
        with pytest.raises(TypeError, match="takes value, and may take arguments"):
            Completions({"a": function}, ["a"])
