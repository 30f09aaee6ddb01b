from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from tools_app.scopes import validate_scopes, without_repeats


@pytest.mark.parametrize(
    "scopes",
    [
        [],
        ["*"],
        ["tools:call", "tools:call:shop.count_orders", "resources:read"],
        ["a", "a:b", "A_b.c-9"],
    ],
)
def test_scopes_are_names_joined_by_colons(scopes: list[str]) -> None:
    validate_scopes(scopes)


@pytest.mark.parametrize(
    "scope",
    [
        "",
        ":",
        "tools:",
        ":call",
        "tools::call",
        "tools:*",
        "**",
        "tools call",
        "tools:call\n",
        "caf\u00e9",
        "a,b",
        'a"b',
        None,
        7,
        ["*"],
    ],
)
def test_anything_else_is_refused_by_name(scope: object) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_scopes(["tools:call", scope])
    assert caught.value.messages[0].startswith(f"{scope!r} is not a scope")


@pytest.mark.parametrize("value", ["*", {"*": True}, None, 1])
def test_scopes_must_be_a_list(value: object) -> None:
    with pytest.raises(ValidationError, match="list of strings"):
        validate_scopes(value)


def test_a_scope_twice_is_refused_and_can_be_dropped() -> None:
    with pytest.raises(ValidationError, match="twice"):
        validate_scopes(["b", "a", "b"])
    assert without_repeats(["b", "a", "b"]) == ["b", "a"]
