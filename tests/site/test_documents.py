"""Pages, sections and anchors."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcpsite.documents import Library, anchor_of, library, split_sections


def anchors(text: str) -> list[str]:
    return [section.anchor for section in split_sections("page", text)]


def test_pages_are_the_readme_and_then_the_docs_by_name(documents: Path) -> None:
    assert list(Library.read(documents).pages) == ["readme", "fog-signal", "lamp"]


def test_a_place_without_documents_is_an_empty_library(tmp_path: Path) -> None:
    assert dict(Library.read(tmp_path).pages) == {}


def test_the_site_reads_where_the_settings_say(documents: Path) -> None:
    assert {page.path.parent for page in library().pages.values()} == {
        documents,
        documents / "docs",
    }


def test_a_page_tells_its_title_and_its_first_paragraph(documents: Path) -> None:
    lamp = Library.read(documents).pages["lamp"]
    assert (lamp.title, lamp.uri) == ("The lamp", "docs://lamp")
    assert lamp.summary == (
        "How the lamp is lit, trimmed and put out, and what its oil costs in a year."
    )


def test_sections_know_their_place(documents: Path) -> None:
    sections = Library.read(documents).pages["lamp"].sections
    assert [(s.anchor, s.level, s.trail, s.line) for s in sections] == [
        ("the-lamp", 1, (), 1),
        ("trim-the-wick-lamptrim", 2, ("The lamp",), 5),
        ("short-wicks", 3, ("The lamp", "Trim the wick: lamp.trim"), 14),
        ("long-wicks", 3, ("The lamp", "Trim the wick: lamp.trim"), 18),
        ("costs", 2, ("The lamp",), 22),
    ]


def test_a_part_holds_its_subsections_and_no_more(documents: Path) -> None:
    lamp = Library.read(documents).pages["lamp"]
    part = lamp.part("trim-the-wick-lamptrim")
    assert part is not None
    assert part.startswith("## Trim the wick: `lamp.trim`\n")
    assert part.endswith("The fog signal does not help then.")
    assert lamp.part("costs") == "## Costs\n\nOil is paid for by the month."
    assert lamp.part("nowhere") is None


def test_a_heading_in_a_block_of_code_is_none() -> None:
    text = "# One\n````md\n```\n# Not this\n```\n````\n~~~\n# Nor this\n~~~\n## Two\n"
    assert anchors(text) == ["one", "two"]


def test_a_fence_that_never_closes_hides_the_rest() -> None:
    assert anchors("# One\n```\n# Two\n") == ["one"]


def test_text_before_the_first_heading_has_the_name_of_its_page() -> None:
    assert anchors("Hello.\n\n# One\n") == ["page", "one"]


def test_a_page_without_headings_is_one_section() -> None:
    assert anchors("Hello.\n") == ["page"]


def test_an_empty_page_has_no_sections() -> None:
    assert anchors(" \n\n") == []


def test_headings_of_the_same_words_get_anchors_of_their_own() -> None:
    assert anchors("# A\n## Use\n# B\n## Use\n## use!\n") == [
        "a",
        "use",
        "b",
        "use-1",
        "use-2",
    ]


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Ask the user: ctx.ask", "ask-the-user-ctxask"),
        ("What's new?", "whats-new"),
        ("snake_case and kebab-case", "snake_case-and-kebab-case"),
        ("Größe & Höhe", "größe--höhe"),
    ],
)
def test_anchors_are_those_of_github(title: str, anchor: str) -> None:
    assert anchor_of(title) == anchor


def test_addresses_are_ascii() -> None:
    (section,) = split_sections("page", "## Größe\n")
    assert section.uri == "docs://page/gr%C3%B6%C3%9Fe"


def test_titles_lose_their_marks() -> None:
    (section,) = split_sections(
        "page", "## Use `ctx.ask` and [that](x.md) **well** ##\n"
    )
    assert section.title == "Use ctx.ask and that well"
