from __future__ import annotations

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller


@pytest.mark.parametrize(
    ("granted", "scope", "expected"),
    [
        ("tools:call:count", "tools:call:count", True),
        ("tools:call", "tools:call:count", True),
        ("tools", "tools:call:count", True),
        ("*", "tools:call:count", True),
        ("*", "", True),
        ("tools:call:count", "tools:call", False),
        ("tools:call:count", "tools:call:count_all", False),
        ("tools:call:cou", "tools:call:count", False),
        ("tools:cal", "tools:call:count", False),
        ("tools:*", "tools:call", False),
        ("TOOLS", "tools:call", False),
        (":call", "tools:call", False),
        ("", "tools:call", False),
        ("call", "tools:call", False),
    ],
)
def test_a_scope_is_granted_by_itself_or_by_a_broader_one(
    granted: str, scope: str, expected: bool
) -> None:
    caller = Caller("x", frozenset({granted, "other"}))
    assert caller.has_scope(scope) is expected
    # Once more, now that it is known.
    assert caller.has_scope(scope) is expected


def test_without_scopes_nothing_is_granted() -> None:
    assert Caller("x").has_scope("tools") is False


def test_a_permission_is_held_by_name_or_by_a_superuser() -> None:
    caller = Caller("x", permissions=frozenset({"shop.view_order"}))
    assert caller.has_permission("shop.view_order") is True
    assert caller.has_permission("shop.view") is False
    assert Caller("x").has_permission("shop.view_order") is False
    assert Caller("x", is_superuser=True).has_permission("shop.view_order") is True


def test_a_superuser_needs_the_scope_as_well() -> None:
    assert Caller("x", is_superuser=True).has_scope("tools") is False


def test_anonymous_has_every_scope_and_no_permission() -> None:
    assert ANONYMOUS.has_scope("anything:at:all") is True
    assert ANONYMOUS.has_permission("shop.view_order") is False
    assert ANONYMOUS.user is None


def test_a_caller_shows_no_memory_of_its_own() -> None:
    caller = Caller("x", frozenset({"tools"}))
    caller.has_scope("secret-thing")
    assert "secret-thing" not in repr(caller)
