from __future__ import annotations

import pytest

from mcp_transport.protocol.naming import check_name, check_text


@pytest.mark.parametrize("name", ["a", "orders.count", "get-User_2", "x" * 128])
def test_a_name_of_the_allowed_characters_is_returned(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "x" * 129, "two words", "café", "a/b", "a\n", "a\u200b", "a,b"]
)
def test_any_other_name_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(ValueError, match="use 1 to 128 of the characters"):
        check_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Count orders.\n\n\tOnly open ones – „zählen“, 数える, احسب.",
        "family 👨\u200d👩\u200d👧 and heart ❤\ufe0f",
        "می\u200cخواهم",  # Persian needs the zero-width non-joiner
    ],
)
def test_text_that_a_reader_sees_whole_passes(text: str) -> None:
    assert check_text(text) == text


@pytest.mark.parametrize(
    ("hidden", "name"),
    [
        ("\x00", "U+0000"),
        ("\r", "U+000D"),
        ("\x1b", "U+001B"),
        ("\x85", "U+0085"),
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\u200b", "U+200B"),
        ("\u200d", "U+200D"),
        ("\u2028", "U+2028"),
        ("\ufeff", "U+FEFF"),
        ("\u00ad", "U+00AD"),
        ("\ud800", "U+D800"),
        ("\ufe01\ufe02", "U+FE01"),
        ("\U000e0041", "U+E0041"),
        ("\U000e0100", "U+E0100"),
    ],
)
def test_a_hidden_character_is_refused_by_name_and_place(
    hidden: str, name: str
) -> None:
    with pytest.raises(ValueError, match=rf"{name.replace('+', '[+]')} at position 2"):
        check_text(f"ab{hidden}cd")


def test_joiners_between_plain_letters_or_in_a_row_are_refused() -> None:
    for text in ("a\u200db", "é\u200d\u200dé", "\u200cé", "é\u200c"):
        with pytest.raises(ValueError, match="cannot be seen"):
            check_text(text)
