from __future__ import annotations

import asyncio
import gc
import re
import weakref

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.session import Answers, Session
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import Response

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


async def test_an_answer_goes_to_who_asked() -> None:
    answers = Answers()
    one, other = answers.expect("a"), answers.expect("b")
    answer = Response("b", {"ok": True}, None)
    assert answers.put(answer) is True
    assert await other is answer
    refusal = Response("a", None, {"code": -1, "message": "no"})
    assert answers.put(refusal) is True
    assert await one is refusal


@pytest.mark.parametrize("id", ["b", 1, None])
async def test_an_answer_that_nobody_waits_for_is_not_taken(
    id: str | int | None,
) -> None:
    answers = Answers()
    waiting = asyncio.ensure_future(answers.expect("a"))
    assert answers.put(Response(id, {}, None)) is False
    assert not waiting.done()
    waiting.cancel()


async def test_only_the_first_answer_counts() -> None:
    answers = Answers()
    waiting = answers.expect("a")
    assert answers.put(Response("a", {"n": 1}, None)) is True
    assert answers.put(Response("a", {"n": 2}, None)) is False
    assert (await waiting).result == {"n": 1}
    assert answers.put(Response("a", {"n": 3}, None)) is False


async def test_nothing_is_kept_of_what_was_answered_or_given_up() -> None:
    class Watched(Response):
        """A response that can be watched."""

        __slots__ = ("__weakref__",)

    answers = Answers()
    response = Watched("a", {}, None)
    kept = weakref.ref(response)
    assert answers.put(response) is False
    waiting = answers.expect("a")
    assert answers.put(response) is True
    assert await waiting is response
    del waiting, response
    await asyncio.sleep(0)
    gc.collect()
    assert kept() is None


async def test_who_gave_up_gets_no_answer() -> None:
    answers = Answers()
    waiting = asyncio.ensure_future(answers.expect("a"))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert answers.put(Response("a", {}, None)) is False
