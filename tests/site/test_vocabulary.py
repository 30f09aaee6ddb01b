"""The protocol's vocabulary in the database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL, REVISIONS
from mcpsite.models import Feature, Revision
from mcpsite.vocabulary import write_vocabulary

pytestmark = pytest.mark.django_db


def revisions_of(kind: str, name: str) -> list[str]:
    feature = Feature.objects.get(kind=kind, name=name)
    return [revision.name for revision in feature.revisions.all()]


def test_the_tables_say_what_the_code_says() -> None:
    assert write_vocabulary() == Feature.objects.count()
    assert [row.name for row in Revision.objects.all()] == list(REVISIONS)
    assert revisions_of("request", "tools/call") == list(REVISIONS)
    assert revisions_of("request", "server/discover") == [LATEST.name]
    assert revisions_of("question", "elicitation.url") == [
        LATEST_STATEFUL.name,
        LATEST.name,
    ]
    assert revisions_of("content", "audio") == list(REVISIONS)[1:]
    assert revisions_of("field", "Tool.outputSchema") == list(REVISIONS)[2:]
    assert revisions_of("notification", "notifications/cancelled") == list(REVISIONS)


def test_writing_again_changes_nothing() -> None:
    write_vocabulary()
    before = set(Feature.objects.values_list("pk", "kind", "name", "revisions"))
    write_vocabulary()
    assert set(Feature.objects.values_list("pk", "kind", "name", "revisions")) == before


def test_what_the_code_no_longer_says_is_removed() -> None:
    write_vocabulary()
    without = replace(LATEST, requests=LATEST.requests - {"server/discover"})
    fewer = {LATEST_STATEFUL.name: LATEST_STATEFUL, LATEST.name: without}
    write_vocabulary(fewer)
    assert [row.name for row in Revision.objects.all()] == list(fewer)
    assert not Feature.objects.filter(name="server/discover").exists()
    assert revisions_of("request", "tools/call") == list(fewer)
