"""The question to the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mcp_transport import ToolError
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL, REVISIONS
from mcpsite.catalogue.vocabulary import find_features
from mcpsite.vocabulary import write_vocabulary

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _vocabulary() -> None:
    write_vocabulary()


def names(**filters: Any) -> list[str]:
    return [feature.name for feature in find_features(**filters).features]


def test_a_feature_tells_its_revisions() -> None:
    (feature,) = find_features(name="tool.outputschema").features
    assert (feature.kind, feature.name) == ("field", "Tool.outputSchema")
    assert feature.revisions == list(REVISIONS)[2:]


def test_filters_are_combined() -> None:
    assert names(kind="request", name="tools/") == ["tools/call", "tools/list"]
    assert names(kind="question", revision=next(iter(REVISIONS))) == [
        "roots",
        "sampling",
    ]


def test_what_a_revision_brought_and_took() -> None:
    latest, before = LATEST.name, LATEST_STATEFUL.name
    assert names(kind="request", revision=latest, missing_in=before) == [
        "server/discover",
        "subscriptions/listen",
    ]
    assert names(kind="request", revision=before, missing_in=latest) == [
        "initialize",
        "logging/setLevel",
        "ping",
        "resources/subscribe",
        "resources/unsubscribe",
    ]


def test_all_are_counted_and_some_are_listed() -> None:
    found = find_features(kind="field", limit=3)
    assert len(found.features) == 3
    assert found.total > 100


def test_what_matches_nothing_is_empty() -> None:
    found = find_features(name="100%_'; --")
    assert (found.total, found.features) == (0, [])


@pytest.mark.parametrize("argument", ["revision", "missing_in"])
def test_an_unknown_revision_is_refused_with_those_there_are(argument: str) -> None:
    arguments: dict[str, Any] = {argument: "tomorrow"}
    with pytest.raises(ToolError) as caught:
        find_features(**arguments)
    assert str(caught.value) == (
        f"There is no revision 'tomorrow'. Revisions: {', '.join(REVISIONS)}."
    )


def test_the_number_of_queries_does_not_grow_with_the_rows() -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        find_features(limit=1)
    with CaptureQueriesContext(connection) as many:
        assert len(find_features(limit=100).features) == 100
    assert len(many) == len(few) == 3
