from __future__ import annotations

import json
from typing import Any

import pytest

from tests.tools_app.transfer.conftest import COUNT, HOURS, PRESET, Json, file
from tools_app.models import CatalogueEntry
from tools_app.transfer.document import (
    MAX_BYTES,
    MEMBERS,
    BadDocument,
    exported,
    read,
    written,
)


def problems(data: bytes) -> tuple[str, ...]:
    with pytest.raises(BadDocument) as caught:
        read(data)
    return caught.value.problems


def test_only_what_differs_is_written_and_in_one_order() -> None:
    rows = [
        CatalogueEntry(**PRESET),
        CatalogueEntry(**HOURS, code={"a": 1}, app_label="x"),
        CatalogueEntry(kind="prompts", key="letter", enabled=False),
    ]
    assert exported(rows) == {
        "format": "mcp-catalogue",
        "version": 1,
        "entries": [
            {"kind": "prompts", "key": "letter", "source": "code", "enabled": False},
            HOURS,
            PRESET,
        ],
    }
    assert exported(reversed(rows)) == exported(rows)


def test_a_file_is_read_as_it_was_written() -> None:
    text = written(exported([CatalogueEntry(**HOURS), CatalogueEntry(**COUNT)]))
    assert "für alle" in text
    hours, count = read(text.encode())
    assert (hours.kind, hours.key, hours.source) == (
        "resources",
        "docs://hours",
        "text",
    )
    assert hours.values == {**MEMBERS, "title": "Hours", "spec": HOURS["spec"]}
    assert count.values["timeout_s"] == 5.0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "no export"),
        (b"{}", "no export"),
        (b'{"format": "mcp-catalogue", "format": "x"}', "a key twice"),
        (b'{"format": NaN}', "no number"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "more than"),
        (file(HOURS).replace(b"docs:", rb"\ud800"), "not Unicode"),
        (file(HOURS).replace(b"title", rb"\ud800"), "not Unicode"),
        (file({**COUNT, "timeout_s": 10**400}), "timeout_s is too large"),
        (file(COUNT).replace(b"5.0", b"1e400"), "timeout_s is too large"),
        (file(version=2), "version is not 1"),
        (file(version=True), "version is not 1"),
        (file(comment="x"), "nothing else"),
        (file(entries={}), "a list"),
        (file(entries=["x"]), "entry 1: it is no object"),
        (file(HOURS, HOURS), "resources docs://hours is there more than once"),
        (file({"kind": "tools"}), "entry 1: it has no key"),
        (file({**HOURS, "kind": "views"}), "kind is one of"),
        (file({**HOURS, "pk": 7}), "(docs://hours): there is no member 'pk'"),
        (file({**HOURS, "code": {}}), "there is no member 'code'"),
        (file({**HOURS, "enabled": 1}), "enabled must be true or false"),
        (file({**HOURS, "timeout_s": True}), "timeout_s must be a number"),
        (file({**HOURS, "title": None}), "title must be a text"),
        (file({**HOURS, "tags": "x"}), "tags must be a list"),
        (file({**HOURS, "spec": []}), "spec must be an object"),
        (file({**COUNT, "spec": {"a": 1}}), "an entry of code has no spec"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, said: str) -> None:
    assert any(said in problem for problem in problems(data))


def test_all_that_is_wrong_is_named_at_once() -> None:
    bad: list[Json] = [{**HOURS, "pk": 7}, {**PRESET, "rate": 5}, {**COUNT, "x": 1}]
    assert len(problems(file(*bad))) == 3


def test_nothing_of_the_file_is_of_one_stage_alone() -> None:
    names: set[Any] = set(json.loads(written(exported([CatalogueEntry(**HOURS)]))))
    assert names == {"format", "version", "entries"}
    own = {field.name for field in CatalogueEntry._meta.concrete_fields}
    assert own - set(MEMBERS) == {
        "id",
        "kind",
        "key",
        "source",
        "app_label",
        "missing_since",
        "code",
        "created_at",
        "changed_at",
    }
