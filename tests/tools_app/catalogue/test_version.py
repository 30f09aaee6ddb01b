from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from tools_app.catalogue.version import committed
from tools_app.models import CatalogueEntry, CatalogueVersion

pytestmark = pytest.mark.django_db(transaction=True)


def number() -> int:
    return CatalogueVersion.objects.number("default")


@pytest.fixture
def told() -> Iterator[list[int]]:
    """The numbers that were there each time that a change was told."""
    numbers: list[int] = []

    def hear(**_: object) -> None:
        numbers.append(number())

    committed.connect(hear)
    yield numbers
    committed.disconnect(hear)


def entry(key: str) -> CatalogueEntry:
    return CatalogueEntry(kind="tools", key=key)


def test_every_way_of_changing_rows_raises_the_number(
    told: list[int], tmp_path: Path
) -> None:
    rows = CatalogueEntry.objects
    assert number() == 0
    rows.create(kind="tools", key="a")
    rows.bulk_create([entry("b"), entry("c")])
    rows.update(enabled=False)
    found = list(rows.all())
    rows.bulk_update(found, ["title"])
    rows.update_or_create(kind="tools", key="a", defaults={"title": "A"})
    rows.get(key="a").delete()
    rows.filter(key="b").delete()
    fixture = tmp_path / "rows.json"
    with fixture.open("w") as out:
        call_command("dumpdata", "tools_app.catalogueentry", stdout=out)
    assert len(json.loads(fixture.read_text())) == 1
    assert number() == 7
    call_command("loaddata", str(fixture), verbosity=0)
    assert number() == 8
    assert told == list(range(1, 9))


def test_what_changes_nothing_leaves_it(told: list[int]) -> None:
    rows = CatalogueEntry.objects
    rows.filter(key="none").update(enabled=False)
    rows.filter(key="none").delete()
    rows.bulk_create([])
    assert (number(), told) == (0, [])


def test_a_transaction_is_told_once_and_after_its_end(told: list[int]) -> None:
    with transaction.atomic():
        for key in "abc":
            entry(key).save()
        CatalogueEntry.objects.update(enabled=False)
        assert told == []
    assert told == [4]


def test_what_is_rolled_back_is_not_told(told: list[int]) -> None:
    with transaction.atomic():
        entry("a").save()
        transaction.set_rollback(True)
    assert (number(), told) == (0, [])
    with transaction.atomic():
        with transaction.atomic():
            entry("a").save()
            transaction.set_rollback(True)
        entry("b").save()
    assert (number(), told) == (1, [1])
