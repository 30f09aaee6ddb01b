"""Search: what is found, in which order, and that no query can break it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mcpsite.documents import Library, Section
from mcpsite.search import MAX_TERMS, SearchIndex, match_expression


@pytest.fixture
def index(documents: Path) -> Iterator[SearchIndex]:
    index = SearchIndex(Library.read(documents).sections())
    yield index
    index.close()


def found(index: SearchIndex, query: str, limit: int = 10) -> list[str]:
    return [hit.uri for hit in index.search(query, limit)]


def test_a_word_in_a_heading_beats_a_word_in_the_text(index: SearchIndex) -> None:
    hits = found(index, "fog signal")
    assert hits[0] == "docs://fog-signal/the-fog-signal"
    assert "docs://lamp/long-wicks" in hits


def test_more_of_the_words_beat_fewer(index: SearchIndex) -> None:
    assert found(index, "oil month") == ["docs://lamp/costs", "docs://lamp/the-lamp"]


def test_other_forms_of_a_word_are_found(index: SearchIndex) -> None:
    assert "docs://readme/keepers" in found(index, "climbing")


def test_a_dotted_name_is_one_phrase(index: SearchIndex) -> None:
    assert found(index, "lamp.trim")[0] == "docs://lamp/trim-the-wick-lamptrim"
    assert found(index, "trim.lamp") == []


def test_a_hit_says_where_it_is_and_marks_the_words(index: SearchIndex) -> None:
    (hit,) = index.search("draught", 5)
    assert (hit.page, hit.section, hit.title) == ("lamp", "short-wicks", "Short wicks")
    assert hit.trail == ["The lamp", "Trim the wick: lamp.trim"]
    assert (
        hit.snippet == "### Short wicks\n\nA wick under 2 mm goes out in a «draught»."
    )
    assert hit.score > 0


def test_scores_fall(index: SearchIndex) -> None:
    scores = [hit.score for hit in index.search("the lamp fog wick", 10)]
    assert len(scores) > 3
    assert scores == sorted(scores, reverse=True)


def test_the_limit_holds(index: SearchIndex) -> None:
    assert len(found(index, "the", 10)) > 2
    assert len(found(index, "the", 2)) == 2


def test_what_is_nowhere_is_not_found(index: SearchIndex) -> None:
    assert found(index, "submarine") == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        '"',
        "'",
        '"""',
        "*",
        "lamp*",
        "^lamp",
        "lamp AND",
        "OR OR OR",
        "NOT lamp",
        "NEAR(lamp wick)",
        "title:lamp",
        "nosuchcolumn:lamp",
        "{title text}: lamp",
        "lamp)",
        "((((",
        "lamp -wick",
        "+ + +",
        "lamp\x00wick",
        "'; DROP TABLE sections; --",
        "_",
        "\u0301",
        "🔥",
        "\ud800",
        "lamp " * 5000,
        "a" * 100_000,
    ],
)
def test_no_query_is_an_error(index: SearchIndex, query: str) -> None:
    hits = index.search(query, 3)
    assert len(hits) <= 3
    assert found(index, "draught") == ["docs://lamp/short-wicks"]


def test_operators_are_words(index: SearchIndex) -> None:
    assert found(index, "draught NOT wick")[0] == "docs://lamp/short-wicks"
    assert found(index, "title:draught") == []


def test_only_so_many_words_count() -> None:
    expression = match_expression("x y " * MAX_TERMS)
    assert expression.count(" OR ") == MAX_TERMS - 1


def test_an_accent_may_be_left_out() -> None:
    section = Section("p", "a", "Café", 1, (), "# Café", 1)
    assert found(SearchIndex([section]), "cafe") == ["docs://p/a"]


def test_many_threads_may_search_at_once(index: SearchIndex) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: tuple(found(index, "fog lamp")), range(200))]
    assert len(set(answers)) == 1
    assert answers[0]
