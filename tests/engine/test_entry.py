from __future__ import annotations

from typing import Any, ClassVar

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.entry import Entry, Kind, described


class Thing(Entry):
    """The least that an entry can be."""

    kind: ClassVar[Kind] = "tools"

    def to_json(self) -> dict[str, Any]:
        return self.listed()


def documented() -> None:
    """Do a thing.

    More of it.
    """


def silent() -> None:
    pass


@pytest.mark.parametrize(
    ("permission", "caller", "visible"),
    [
        (None, ANONYMOUS, True),
        (None, Caller("x", frozenset({"a:b"})), True),
        (None, Caller("x", frozenset({"a"})), True),
        (None, Caller("x", frozenset({"a:b:c"})), False),
        (None, Caller("x", is_superuser=True), False),
        ("shop.x", ANONYMOUS, False),
        ("shop.x", Caller("x", frozenset({"*"}), frozenset({"shop.x"})), True),
        ("shop.x", Caller("x", frozenset({"*"}), is_superuser=True), True),
        ("shop.x", Caller("x", frozenset(), frozenset({"shop.x"})), False),
    ],
)
def test_an_entry_is_seen_with_its_scope_and_its_permission(
    permission: str | None, caller: Caller, visible: bool
) -> None:
    entry = Thing(name="a", scope="a:b", permission=permission)
    assert entry.visible(caller) is visible


def test_what_is_empty_is_not_listed() -> None:
    assert Thing(name="a", scope="s").to_json() == {"name": "a"}


def test_all_that_an_entry_says_of_itself_is_listed() -> None:
    entry = Thing(
        name="a",
        scope="s",
        title="A",
        description="Does a.",
        tags=frozenset({"z", "b"}),
        icons=({"src": "https://x/a.png"},),
        meta={"shop/x": 1},
    )
    assert entry.listed(size=0, mimeType=None, annotations={}) == {
        "name": "a",
        "title": "A",
        "description": "Does a.",
        "size": 0,
        "icons": [{"src": "https://x/a.png"}],
        "_meta": {"tags": ["b", "z"], "shop/x": 1},
    }


def test_its_key_is_its_name() -> None:
    assert Thing(name="a", scope="s").key == "a"


def test_a_function_describes_itself() -> None:
    options = described(documented, {}, "tools:call:{name}")
    assert options["name"] == "documented"
    assert options["scope"] == "tools:call:documented"
    assert options["description"] == "Do a thing.\n\nMore of it."
    assert options["tags"] == frozenset()
    assert options["icons"] == ()
    assert described(silent, {}, "s")["description"] == ""


def test_what_is_given_goes_before_what_the_function_says() -> None:
    given = {
        "name": "other",
        "description": "",
        "scope": "mine",
        "tags": ["a"],
        "icons": [{"src": "x"}],
        "title": "T",
        "meta": {"m": 1},
    }
    assert described(documented, given, "tools:call:{name}") == {
        **given,
        "tags": frozenset({"a"}),
        "icons": ({"src": "x"},),
    }
    assert described(documented, {"name": "o"}, "t:{name}")["scope"] == "t:o"


@pytest.mark.parametrize("member", ["name", "title", "description"])
def test_no_text_hides_anything_from_its_reader(member: str) -> None:
    with pytest.raises(ValueError, match="U\\+202E .* cannot be seen by a reader"):
        described(documented, {member: "a\u202eb"}, "s")


@pytest.mark.parametrize("permission", ["view_user", "auth.", "a b.c", "", ["auth.x"]])
def test_a_permission_reads_as_djangos_do(permission: Any) -> None:
    assert described(silent, {"permission": "shop.can-view"}, "s")["permission"]
    with pytest.raises(ValueError, match=r'silent: permission=.*"shop.view_order"'):
        described(silent, {"permission": permission}, "s")


def test_who_lacks_a_scope_is_told_which() -> None:
    thing = Thing(name="a", scope="tools:call:a")
    assert thing.lacking(Caller("x", frozenset({"tools:call"}))) is None
    assert thing.lacking(Caller("x", frozenset({"tools:call:b"}))) == "tools:call:a"
