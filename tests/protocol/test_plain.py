"""The table of the plain dialect, beside that of the revision it comes from."""

from __future__ import annotations

import dataclasses

from mcp_transport.protocol.revisions import (
    LATEST_STATEFUL,
    PLAIN,
    REVISIONS,
    STATEFUL,
    STATELESS,
)


def test_it_is_no_revision_and_cannot_be_negotiated() -> None:
    for served in (REVISIONS, STATEFUL, STATELESS):
        assert PLAIN.name not in served
        assert PLAIN not in served.values()


def test_its_differences_are_these_and_no_others() -> None:
    differing = {
        field.name
        for field in dataclasses.fields(PLAIN)
        if getattr(PLAIN, field.name) != getattr(LATEST_STATEFUL, field.name)
    }
    assert differing == {
        "name",
        "requests",
        "notifications",
        "asks",
        "resumable",
        "primes_streams",
        "object_output_only",
        "timed_out",
    }


def test_it_has_no_handshake_and_has_batches_of_its_own() -> None:
    assert LATEST_STATEFUL.requests - PLAIN.requests == {"initialize"}
    assert PLAIN.requests - LATEST_STATEFUL.requests == {"batch"}
    assert PLAIN.notifications == {"notifications/cancelled"}
    # An array of messages is the protocol's own form, which this is not.
    assert not PLAIN.batching


def test_its_client_declares_nothing_and_so_is_asked_nothing() -> None:
    assert PLAIN.asks == frozenset()


def test_a_reply_that_is_lost_is_lost() -> None:
    assert PLAIN.stateful
    assert not PLAIN.resumable
    assert not PLAIN.primes_streams


def test_a_call_that_came_too_late_has_a_status_of_its_own() -> None:
    assert PLAIN.timed_out == 408
    assert {revision.timed_out for revision in REVISIONS.values()} == {200}


def test_a_result_may_be_any_value() -> None:
    listed = {"name": "n", "inputSchema": {"type": "object"}, "outputSchema": {}}
    called = {"content": [], "structuredContent": [1, 2]}
    assert PLAIN.encode("tools/list", {"tools": [listed]}) == {"tools": [listed]}
    assert PLAIN.encode("tools/call", called) == called
    assert not PLAIN.object_output_only


def test_what_only_the_stateless_revision_has_is_not_sent() -> None:
    result = {"tools": [], "ttlMs": 1, "cacheScope": "public", "resultType": "complete"}
    assert PLAIN.encode("tools/list", result) == {"tools": []}
