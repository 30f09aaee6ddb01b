"""Full-text search over the documentation, by SQLite's FTS5 in memory."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from functools import cache
from threading import Lock

from pydantic import BaseModel, Field

from mcpsite.documents import Section, library, section_uri

MAX_TERMS = 32
SNIPPET_WORDS = 32

# Weights of the columns: a word in a title says more than one in the text.
_SEARCH = """
    SELECT page, anchor, title, trail, snippet(sections, 2, '«', '»', ' … ', ?),
           -bm25(sections, 10.0, 4.0, 1.0, 0.0, 0.0) AS score
    FROM sections WHERE sections MATCH ? ORDER BY score DESC, page, anchor LIMIT ?
"""
_CREATE = """
    CREATE VIRTUAL TABLE sections USING fts5(
        title, trail, text, page UNINDEXED, anchor UNINDEXED,
        tokenize = 'porter unicode61 remove_diacritics 2'
    )
"""


class Hit(BaseModel):
    """One section that matches."""

    uri: str = Field(description="Address of the section, for resources/read.")
    page: str = Field(description="Name of the page, for read_doc.")
    section: str = Field(description="Anchor of the section, for read_doc.")
    title: str
    trail: list[str] = Field(description="Headings above it, outermost first.")
    snippet: str = Field(description="The passage that matches; «» mark the words.")
    score: float = Field(description="Higher is better; comparable in one answer.")


class SearchIndex:
    """An index of sections, built once and then only read. Safe to share."""

    def __init__(self, sections: Iterable[Section]) -> None:
        # The lock, not the thread of birth, guards the connection.
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._lock = Lock()
        self._connection.execute(_CREATE)
        self._connection.executemany(
            "INSERT INTO sections VALUES (?, ?, ?, ?, ?)",
            [(s.title, "\n".join(s.trail), s.text, s.page, s.anchor) for s in sections],
        )

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def search(self, query: str, limit: int) -> list[Hit]:
        """Return the best ``limit`` sections that hold any word of ``query``."""
        expression = match_expression(query)
        if not expression:
            return []
        with self._lock:
            rows = self._connection.execute(
                _SEARCH, (SNIPPET_WORDS, expression, limit)
            ).fetchall()
        return [
            Hit(
                uri=section_uri(page, anchor),
                page=page,
                section=anchor,
                title=title,
                trail=trail.split("\n") if trail else [],
                snippet=snippet,
                score=float(f"{score:.4g}"),
            )
            for page, anchor, title, trail, snippet, score in rows
        ]


@cache
def search_index() -> SearchIndex:
    """The index of the site's own documentation."""
    return SearchIndex(library().sections())


def match_expression(query: str) -> str:
    """Return ``query`` as an FTS5 expression, empty if it holds no word.

    Every word is quoted, so nothing in it is an operator; a dotted name such
    as ``ctx.ask`` is one phrase.
    """
    terms = re.findall(r"\w+(?:[.:/-]+\w+)*", query)[:MAX_TERMS]
    return " OR ".join(f'"{term}"' for term in terms)
