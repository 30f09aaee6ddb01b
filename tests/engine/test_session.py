from __future__ import annotations

import re

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.changes import ListChanged, ResourceUpdated
from mcp_transport.engine.session import Claimed, Session
from mcp_transport.protocol.lifecycle import Phase

MINE = Caller("token:1")


def test_a_new_session_is_its_callers_and_knows_nothing_yet() -> None:
    session = Session.new(MINE)
    assert session.subject == "token:1"
    assert session.phase is Phase.NEW
    assert session.peer is None
    assert session.subscriptions == set()


def test_ids_cannot_be_guessed_and_fit_into_a_header() -> None:
    ids = {Session.new(ANONYMOUS).id for _ in range(100)}
    assert len(ids) == 100
    # Spec: 2025-11-25 basic/transports #session-management: 0x21 to 0x7E.
    assert all(re.fullmatch(r"[!-~]{32}", id) for id in ids)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Phase.NEW, Phase.NEW),
        (Phase.INITIALIZED, Phase.READY),
        (Phase.READY, Phase.READY),
    ],
)
def test_a_client_is_ready_once_it_was_answered(before: Phase, after: Phase) -> None:
    session = Session("s", "mine", phase=before)
    session.initialized()
    assert session.phase is after


def test_a_client_hears_of_lists_and_of_what_it_subscribed_to() -> None:
    session = Session("s", "mine", phase=Phase.READY, subscriptions={"doc://one"})
    assert session.wants(ListChanged("tools"))
    assert session.wants(ResourceUpdated("doc://one"))
    assert not session.wants(ResourceUpdated("doc://other"))
    session.subscriptions.clear()
    assert not session.wants(ResourceUpdated("doc://one"))


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.INITIALIZED])
def test_a_client_that_is_not_ready_hears_of_nothing(phase: Phase) -> None:
    session = Session("s", "mine", phase=phase, subscriptions={"doc://one"})
    assert not session.wants(ListChanged("tools"))
    assert not session.wants(ResourceUpdated("doc://one"))


def test_who_claims_in_vain_is_told_the_id() -> None:
    assert Claimed("a").request_id == "a"
    assert Claimed(1).request_id == 1
