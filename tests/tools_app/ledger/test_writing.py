from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import OperationalError

from tests.tools_app.ledger.calls import served
from tools_app.ledger import writing
from tools_app.ledger.record import Record, recorded
from tools_app.ledger.redaction import Redaction
from tools_app.models import Call

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have the database refuse whatever is not ASCII, by an error of a code."""
    insert = writing._insert

    def refuse(code: int) -> None:
        def insert_ascii(records: Sequence[Record], references: Any) -> None:
            if not all(record.name.isascii() for record in records):
                raise OperationalError(code, "as mysqlclient has it")
            insert(records, references)

        monkeypatch.setattr(writing, "_insert", insert_ascii)

    return refuse


def records() -> list[Record]:
    names = ["one", "\N{GRINNING FACE}", "two"]
    return [recorded(served(name), Redaction({}, 2048)) for name in names]


def test_a_text_that_the_character_set_has_not_is_lost_alone(
    refusing: Callable[[int], None],
) -> None:
    refusing(1366)
    assert writing.write(records()) == 1
    assert sorted(Call.objects.values_list("name", flat=True)) == ["one", "two"]


def test_a_server_that_is_away_loses_nothing(refusing: Callable[[int], None]) -> None:
    refusing(2006)
    with pytest.raises(OperationalError):
        writing.write(records())
