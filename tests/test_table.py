from __future__ import annotations

from mcp_transport.table import table


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    rows = [["a", "", "long one"], ["second", "b", ""]]
    assert list(table(["x", "y", "z"], rows)) == [
        "x       y  z",
        "a       -  long one",
        "second  b  -",
    ]


def test_without_rows_there_is_a_head() -> None:
    assert list(table(["x", "y"], [])) == ["x  y"]
