from __future__ import annotations

import pytest

from tools_app.kinds.template import MAX_DEPTH, Template


def filled(source: str, **values: str) -> str:
    return "".join(Template(source).render(values))


def test_names_are_filled_in() -> None:
    assert filled("Hi {{ name }}, {{name}}!", name="Ada") == "Hi Ada, Ada!"
    assert filled("{ not } a { name }") == "{ not } a { name }"
    assert Template("{{ a }}{% if b %}{{ c }}{% endif %}").names == {"a", "b", "c"}


def test_a_value_is_never_read_as_a_template() -> None:
    assert filled("{{ a }}{{ b }}", a="{{ b }}", b="{% if a %}") == "{{ b }}{% if a %}"


def test_nothing_is_escaped() -> None:
    assert filled("{{ a }}", a="<b> & 'c'") == "<b> & 'c'"


@pytest.mark.parametrize(
    ("tone", "expected"),
    [("kind", "Be kind.\nGo."), ("", "Be.\nGo."), (" ", "Be.\nGo.")],
)
def test_parts_are_left_out_where_an_argument_is_blank(
    tone: str, expected: str
) -> None:
    source = "{% if tone %}\nBe {{ tone }}.\n{% else %}\nBe.\n{% endif %}\nGo."
    assert filled(source, tone=tone) == expected


def test_conditions_can_be_nested() -> None:
    source = "{% if a %}1{% if b %}2{% else %}3{% endif %}4{% endif %}5"
    assert filled(source, a="x", b="x") == "1245"
    assert filled(source, a="x", b="") == "1345"
    assert filled(source, a="", b="x") == "5"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ user.password }}", "no name of an argument"),
        ("{{ name|upper }}", "no name of an argument"),
        ("{{ name.__class__ }}", "no name of an argument"),
        ("{{ 'text' }}", "no name of an argument"),
        ("{{ settings[0] }}", "no name of an argument"),
        ("{{ }}", "no name of an argument"),
        ("{{ a b }}", "no name of an argument"),
        ("{% load admin %}", "is unknown"),
        ("{% include '/etc/passwd' %}", "is unknown"),
        ("{% extends 'base.html' %}", "is unknown"),
        ("{% debug %}", "is unknown"),
        ("{% for c in name %}{% endfor %}", "is unknown"),
        ("{% if a and b %}{% endif %}", "is unknown"),
        ("{% if a.b %}{% endif %}", "no name of an argument"),
        ("{% %}", "is unknown"),
        ("{% if a %}", "is never closed"),
        ("{% endif %}", "without"),
        ("{% else %}", "without"),
        ("{% if a %}{% else %}{% else %}{% endif %}", "without"),
        ("{{ a", "has no counterpart"),
        ("a }}", "has no counterpart"),
        ("{% if a", "has no counterpart"),
        ("{{ {{ a }} }}", "has no counterpart"),
    ],
)
def test_there_is_nothing_else_in_the_language(source: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Template(source)


def test_a_complaint_names_the_line() -> None:
    with pytest.raises(ValueError, match="line 3"):
        Template("a\nb\n{% load x %}")


def test_conditions_are_nested_only_so_deep() -> None:
    def nested(depth: int) -> str:
        return "{% if a %}" * depth + "x" + "{% endif %}" * depth

    assert filled(nested(MAX_DEPTH), a="x") == "x"
    with pytest.raises(ValueError, match="deeper"):
        Template(nested(MAX_DEPTH + 1))
