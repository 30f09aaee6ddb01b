"""Wrong settings of the ledger are told by their keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from tools_app.ledger import Ledger
from tools_app.ledger.options import Options, read

WRONG: dict[str, list[Any]] = {
    "REDACT": [None, [], "pay", {"pay": "iban"}, {"pay": [1]}, {1: ["iban"]}],
    "MAX_ARGUMENTS_BYTES": [None, True, 0, -1, 63, 10**10, "2048", 100.0],
    "RETENTION_DAYS": [None, False, 0, -1, 10**10, "90", 1.5],
    "REDACTED": [1],
}


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, values in WRONG.items() for value in values],
)
def test_what_is_wrong_is_said_and_keeps_its_default(key: str, value: Any) -> None:
    options, problems = read({key: value})
    assert options == Options()
    assert len(problems) == 1
    assert f'MCP_LEDGER["{key}"]' in problems[0]


def test_what_is_right_is_taken() -> None:
    given = {
        "REDACT": {"pay": ["iban"]},
        "MAX_ARGUMENTS_BYTES": 64,
        "RETENTION_DAYS": 7,
    }
    options, problems = read(given)
    assert problems == []
    assert {key.upper(): value for key, value in vars(options).items()} == given


def test_it_must_be_a_dictionary() -> None:
    assert read([])[1] == ["MCP_LEDGER must be a dictionary"]


def test_no_ledger_is_kept_by_wrong_settings() -> None:
    with (
        override_settings(MCP_LEDGER={"RETENTION_DAYS": 0}),
        pytest.raises(ImproperlyConfigured, match="RETENTION_DAYS"),
    ):
        Ledger()
