from __future__ import annotations

from typing import Any

import pytest

from mcp_transport import catalogue as default_shelf
from mcp_transport import prompt, resource, tool
from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.catalogue import KINDS, MAX_VIEWS, Catalogue, Shelf
from mcp_transport.engine.entry import Kind
from mcp_transport.engine.prompt import Prompt
from mcp_transport.engine.resource import Resource, ResourceTemplate
from mcp_transport.engine.tool import Tool
from mcp_transport.protocol.errors import InsufficientScope


def answer() -> str:
    """Answer."""
    return "42"


def item(pk: str) -> str:
    return pk


def shelf_of(*names: str) -> Shelf:
    shelf = Shelf()
    for name in names:
        shelf.add(Tool.of(answer, name=name))
    return shelf


async def keys(
    shelf: Catalogue,
    kind: Kind = "tools",
    caller: Caller = ANONYMOUS,
    after: str | None = None,
    limit: int = 100,
) -> list[str]:
    page = await shelf.page(kind, caller, after, limit)
    return [entry.key for entry in page.entries]


def caller(*scopes: str, permissions: tuple[str, ...] = ()) -> Caller:
    return Caller("x", frozenset(scopes), frozenset(permissions))


# Filling it.


async def test_a_decorator_registers_a_function_and_leaves_it_as_it_is() -> None:
    shelf = Shelf()
    assert shelf.tool(answer) is answer
    assert shelf.tool(name="other", title="T")(answer) is answer
    assert shelf.prompt(answer) is answer
    assert shelf.prompt(name="other")(answer) is answer
    assert shelf.resource("docs://answer")(answer) is answer
    assert shelf.resource("item://{pk}")(item) is item
    assert {kind: await keys(shelf, kind) for kind in KINDS} == {
        "tools": ["answer", "other"],
        "prompts": ["answer", "other"],
        "resources": ["docs://answer"],
        "templates": ["item://{pk}"],
    }
    found = await shelf.find("tools", "other", ANONYMOUS)
    assert isinstance(found, Tool)
    assert found.title == "T"
    kinds = [type(entry) for entry in shelf.entries()]
    assert kinds == [Tool, Tool, Resource, ResourceTemplate, Prompt, Prompt]


def test_the_decorators_of_the_package_fill_one_shelf() -> None:
    assert tool == default_shelf.tool
    assert resource == default_shelf.resource
    assert prompt == default_shelf.prompt


def test_what_cannot_be_registered_is_the_developers_fault() -> None:
    shelf = Shelf()

    def untyped(a):  # type: ignore[no-untyped-def]
        return a

    def untyped_result() -> Shelf:
        return shelf

    with pytest.raises(TypeError, match="'a' has no annotation"):
        shelf.tool(untyped)
    with pytest.raises(TypeError, match="colour"):
        shelf.tool(colour="red")(answer)
    with pytest.raises(ValueError, match="is not a valid name"):
        shelf.tool(name="two words")(answer)
    with pytest.raises(TypeError, match=r"untyped_result\(\): return type: "):
        shelf.tool(untyped_result)
    for decorate in (shelf.tool, shelf.prompt):
        with pytest.raises(TypeError, match=r"write @(tool|prompt)\(name='a'\)"):
            decorate("a")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r'write the URI: @resource\("docs://'):
        shelf.resource(answer)  # type: ignore[arg-type]
    assert shelf.entries() == []
    assert shelf.collisions == []


async def test_the_first_of_two_stays_and_the_second_is_recorded() -> None:
    shelf = shelf_of("answer")
    first = await shelf.find("tools", "answer", ANONYMOUS)
    assert shelf.tool(answer) is answer
    assert await shelf.find("tools", "answer", ANONYMOUS) is first
    (said,) = shelf.collisions
    assert said == f"{__name__}.answer: there is an entry 'answer' in tools already"


async def test_kinds_do_not_collide() -> None:
    shelf = shelf_of("answer")
    shelf.prompt(answer)
    assert shelf.collisions == []


async def test_an_entry_can_be_added_once_and_removed_once() -> None:
    shelf = shelf_of("a")
    with pytest.raises(ValueError, match="'a' in tools already"):
        shelf.add(Tool.of(answer, name="a"))
    shelf.remove("tools", "a")
    assert await keys(shelf) == []
    with pytest.raises(KeyError):
        shelf.remove("tools", "a")
    shelf.add(Tool.of(answer, name="a"))
    assert await keys(shelf) == ["a"]


async def test_every_change_is_told_and_a_collision_is_none() -> None:
    shelf = Shelf()
    changed: list[str] = []
    shelf.watch(changed.append)
    shelf.tool(answer)
    shelf.tool(answer)
    shelf.prompt(answer)
    shelf.resource("docs://a")(answer)
    shelf.resource("item://{pk}")(item)
    shelf.remove("tools", "answer")
    assert changed == ["tools", "prompts", "resources", "resources", "tools"]


async def test_a_snapshot_never_changes() -> None:
    shelf = shelf_of("a")
    before = shelf.snapshot
    assert shelf.snapshot is before
    shelf.add(Tool.of(answer, name="b"))
    after = shelf.snapshot
    assert after.number == before.number + 1
    assert list(before.entries["tools"]) == ["a"]
    assert list(after.entries["tools"]) == ["a", "b"]


# Pages.


async def test_lists_are_in_the_order_of_their_keys() -> None:
    shelf = shelf_of("b", "C", "a.b", "a", "a-b")
    assert await keys(shelf) == ["C", "a", "a-b", "a.b", "b"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
async def test_pages_make_up_the_list(limit: int) -> None:
    names = ["a", "b", "c", "d", "e"]
    shelf = shelf_of(*names)
    found: list[str] = []
    after: str | None = None
    for _ in range(len(names)):
        page = await shelf.page("tools", ANONYMOUS, after, limit)
        assert 0 < len(page.entries) <= limit
        found += [entry.key for entry in page.entries]
        after = page.next
        if after is None:
            break
    assert after is None
    assert found == names


async def test_a_page_goes_on_where_its_position_was() -> None:
    shelf = shelf_of("a", "b", "c", "d")
    page = await shelf.page("tools", ANONYMOUS, None, 2)
    assert page.next == "b"
    shelf.remove("tools", "b")
    shelf.add(Tool.of(answer, name="bb"))
    assert await keys(shelf, after="b") == ["bb", "c", "d"]
    assert await keys(shelf, after="zzz") == []
    assert await keys(shelf, after="") == ["a", "bb", "c", "d"]


async def test_an_empty_list_is_a_page_and_the_last() -> None:
    page = await Shelf().page("prompts", ANONYMOUS, None, 10)
    assert (page.entries, page.next) == ((), None)


async def test_those_who_may_see_the_same_share_a_page() -> None:
    shelf = shelf_of("a", "b")

    async def page(of: Caller) -> Any:
        return await shelf.page("tools", of, None, 10)

    mine = await page(caller("tools"))
    assert await page(Caller("somebody else", frozenset({"tools"}))) is mine
    assert await page(caller("tools:call:a")) is not mine
    assert await page(caller("tools", permissions=("shop.x",))) is not mine
    assert await page(Caller("x", frozenset({"tools"}), is_superuser=True)) is not mine
    for names in ({"a"}, {"a", "b"}, set[str]()):
        limited = Caller("x", frozenset({"tools"}), tools=frozenset(names))
        assert await page(limited) is not mine
        assert {entry.key for entry in (await page(limited)).entries} == names
    shelf.add(Tool.of(answer, name="c"))
    assert await page(caller("tools")) is not mine


async def test_many_kinds_of_callers_do_not_fill_the_memory() -> None:
    shelf = shelf_of("a")
    for n in range(MAX_VIEWS + 10):
        assert await keys(shelf, caller=caller("tools", str(n))) == ["a"]
    assert len(shelf.snapshot._views) == MAX_VIEWS


# Who sees what.


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (caller(), []),
        (caller("tools:call:free"), ["free"]),
        (caller("tools:call"), ["free"]),
        (caller("shop"), ["scoped"]),
        (ANONYMOUS, ["free", "scoped"]),
        (caller("tools:call", permissions=("shop.view",)), ["free", "guarded"]),
        (caller("shop", permissions=("shop.view",)), ["scoped"]),
        (caller("*", permissions=("shop.view",)), ["free", "guarded", "scoped"]),
        (caller("*", permissions=("shop.vie",)), ["free", "scoped"]),
    ],
)
async def test_what_a_caller_may_not_use_is_not_listed(
    who: Caller, seen: list[str]
) -> None:
    shelf = Shelf()
    shelf.tool(name="free")(answer)
    shelf.tool(name="scoped", scope="shop:read")(answer)
    shelf.tool(name="guarded", permission="shop.view")(answer)
    assert await keys(shelf, caller=who) == seen
    assert await shelf.find("tools", "unknown", who) is None
    for name in ("free", "scoped", "guarded"):
        if name in seen:
            assert (await shelf.find("tools", name, who)).name == name
        elif name == "guarded" and not who.has_permission("shop.view"):
            assert await shelf.find("tools", name, who) is None
        else:
            with pytest.raises(InsufficientScope) as refused:
                await shelf.find("tools", name, who)
            assert refused.value.scope == shelf.snapshot.entries["tools"][name].scope


async def test_a_resource_says_which_scope_it_takes() -> None:
    shelf = Shelf()
    shelf.resource("item://first")(answer)
    shelf.resource("order://{pk}", scope="orders:read")(item)
    nobody = caller()
    for uri, scope in (
        ("item://first", "resources:read"),
        ("order://1", "orders:read"),
    ):
        with pytest.raises(InsufficientScope) as refused:
            await shelf.find("resources", uri, nobody)
        assert refused.value.scope == scope
    assert await shelf.find("resources", "other://1", nobody) is None


async def test_a_tool_that_a_caller_is_not_limited_to_is_not_there() -> None:
    shelf = Shelf()
    shelf.tool(name="free")(answer)
    shelf.tool(name="scoped", scope="shop:read")(answer)
    shelf.tool(name="guarded", permission="shop.view")(answer)
    shelf.prompt(name="words")(answer)
    names = frozenset({"free", "guarded", "words", "unknown"})
    limited = Caller("x", frozenset({"*"}), tools=names)
    assert await keys(shelf, caller=limited) == ["free"]
    assert await keys(shelf, "prompts", limited) == ["words"]
    assert await shelf.find("tools", "free", limited) is not None
    for name in ("scoped", "guarded", "unknown"):
        assert await shelf.find("tools", name, limited) is None
    # Not even that another scope would do is told.
    unscoped = Caller("x", frozenset({"other"}), tools=names)
    assert await shelf.find("tools", "scoped", unscoped) is None


# Resources.


async def test_a_resource_is_found_by_its_uri_and_then_by_its_templates() -> None:
    shelf = Shelf()
    shelf.resource("item://first")(answer)
    shelf.resource("item://{pk}")(item)
    exact = await shelf.find("resources", "item://first", ANONYMOUS)
    assert exact is shelf.snapshot.entries["resources"]["item://first"]
    matched = await shelf.find("resources", "item://second", ANONYMOUS)
    assert isinstance(matched, Resource)
    assert (matched.uri, matched.variables) == ("item://second", {"pk": "second"})
    assert await shelf.find("resources", "item://a/b", ANONYMOUS) is None
    assert await shelf.find("resources", "other://a", ANONYMOUS) is None
    assert await shelf.find("resources", "", ANONYMOUS) is None


async def test_a_template_is_found_by_itself() -> None:
    shelf = Shelf()
    shelf.resource("item://{pk}")(item)
    found = await shelf.find("templates", "item://{pk}", ANONYMOUS)
    assert isinstance(found, ResourceTemplate)
    assert await shelf.find("templates", "item://1", ANONYMOUS) is None
    assert await shelf.find("tools", "item://1", ANONYMOUS) is None


@pytest.mark.parametrize(
    ("templates", "uri", "chosen"),
    [
        (["a://{pk}", "a://x-{pk}"], "a://x-1", "a://x-{pk}"),
        (["a://x-{pk}", "a://{pk}"], "a://x-1", "a://x-{pk}"),
        (["a://x-{pk}", "a://{pk}"], "a://y-1", "a://{pk}"),
        (["a://{+pk}", "a://{pk}"], "a://1", "a://{pk}"),
        (["a://{+pk}", "a://{pk}"], "a://1/2", "a://{+pk}"),
    ],
)
async def test_the_template_that_says_most_is_chosen(
    templates: list[str], uri: str, chosen: str
) -> None:
    shelf = Shelf()
    for template in templates:
        shelf.resource(template, name=template)(item)
    found = await shelf.find("resources", uri, ANONYMOUS)
    assert found.name == chosen


async def test_a_value_of_the_wrong_type_matches_no_template() -> None:
    def order(pk: int) -> str:
        return str(pk)

    shelf = Shelf()
    shelf.resource("order://{pk}")(order)
    found = await shelf.find("resources", "order://12", ANONYMOUS)
    assert found.variables == {"pk": 12}
    assert await shelf.find("resources", "order://twelve", ANONYMOUS) is None


async def test_who_may_not_use_a_resource_finds_it_by_no_other_way() -> None:
    shelf = Shelf()
    shelf.resource("item://secret", permission="shop.view")(answer)
    shelf.resource("item://{pk}")(item)
    shelf.resource("item://x-{pk}", permission="shop.view")(item)
    assert await shelf.find("resources", "item://secret", ANONYMOUS) is None
    found = await shelf.find("resources", "item://x-1", ANONYMOUS)
    assert found.variables == {"pk": "x-1"}
    reader = caller("resources", permissions=("shop.view",))
    assert await shelf.find("resources", "item://secret", reader) is not None
    found = await shelf.find("resources", "item://x-1", reader)
    assert found.variables == {"pk": "1"}
