"""Names that differ in little are different names, on every database."""

from __future__ import annotations

import pytest

from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.ledger.calls import add_calls, call
from tools_app.catalogue.sync import sync
from tools_app.models import CallCount, CatalogueEntry

pytestmark = pytest.mark.django_db(transaction=True)

# By case, an accent, a way to write it, a space at the end.
ALIKE = [
    "note://cafe",
    "note://Cafe",
    "note://café",
    "note://cafe\u0301",
    "note://cafe ",
]


def test_each_has_its_entry() -> None:
    shelf = Shelf()
    for uri in ALIKE[:3]:
        shelf.resource(uri, name=uri)(lambda: "")
    assert set(sync(shelf.entries()).new) == set(ALIKE[:3])
    for uri in ALIKE[3:]:
        CatalogueEntry.objects.create(kind="resources", key=uri)
    for uri in ALIKE:
        assert CatalogueEntry.objects.get(key=uri).key == uri


def test_each_is_counted_by_itself() -> None:
    for _ in range(2):
        add_calls([call(name=uri) for uri in ALIKE])
    counts = CallCount.objects.filter(by_name=True, by_token=False, step_minutes=1)
    assert sorted(counts.values_list("name", "calls")) == [
        (uri, 2) for uri in sorted(ALIKE)
    ]
