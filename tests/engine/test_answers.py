from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from mcp_transport.engine.answers import Answers
from mcp_transport.protocol.messages import Response
from mcp_transport.protocol.signing import Signer
from tests.engine.exchanges import PATIENCE_S

SIGNER = Signer([b"a key of enough bytes"])
OTHER = Signer([b"another key of enough bytes"])


def test_an_id_is_of_its_session_and_of_no_other() -> None:
    answers = Answers(SIGNER)
    id = answers.new_id("s")
    assert answers.asked("s", id)
    assert not answers.asked("t", id)
    assert not answers.asked("", id)


def test_any_process_knows_a_question_of_ours() -> None:
    """The one that asked may be another, with the same keys or with new ones."""
    id = Answers(SIGNER).new_id("s")
    assert Answers(Signer([b"a key of enough bytes"])).asked("s", id)
    rotated = Signer([b"another key of enough bytes", b"a key of enough bytes"])
    assert Answers(rotated).asked("s", id)
    assert not Answers(OTHER).asked("s", id)


def test_ids_are_told_apart() -> None:
    answers = Answers(SIGNER)
    assert len({answers.new_id("s") for _ in range(100)}) == 100


@pytest.mark.parametrize("id", [None, 1, 0, "", "x", "1", "é", "v1..", "v1.AAAA.AAAA"])
def test_what_was_never_asked_is_no_question(id: str | int | None) -> None:
    assert not Answers(SIGNER).asked("s", id)


def test_an_id_that_was_changed_is_no_question() -> None:
    answers = Answers(SIGNER)
    id = answers.new_id("s")
    for changed in (id[:-1], id + "A", id.swapcase(), id.partition(".")[2]):
        assert not answers.asked("s", changed)
    # What was signed for something else is no question either.
    assert not answers.asked("s", SIGNER.sign("cursor", b"nine bytes"))


async def test_an_answer_goes_to_who_asked() -> None:
    answers = Answers(SIGNER)
    one, other = answers.expect("s", "a"), answers.expect("s", "b")
    answer = Response("b", {"ok": True}, None)
    assert answers.put("s", answer) is True
    assert await other is answer
    refusal = Response("a", None, {"code": -1, "message": "no"})
    assert answers.put("s", refusal) is True
    assert await one is refusal


async def test_sessions_are_asked_apart_under_one_id() -> None:
    answers = Answers(SIGNER)
    mine, theirs = answers.expect("mine", "a"), answers.expect("theirs", "a")
    answer = Response("a", {"n": 1}, None)
    assert answers.put("theirs", answer) is True
    assert await theirs is answer
    assert answers.put("theirs", answer) is False
    own = Response("a", {"n": 2}, None)
    assert answers.put("mine", own) is True
    assert await mine is own


@pytest.mark.parametrize(
    ("session", "id"), [("s", "b"), ("s", 1), ("s", None), ("t", "a"), ("", "a")]
)
async def test_an_answer_that_nobody_waits_for_is_not_taken(
    session: str, id: str | int | None
) -> None:
    answers = Answers(SIGNER)
    waiting = asyncio.ensure_future(answers.expect("s", "a"))
    assert answers.put(session, Response(id, {}, None)) is False
    assert not waiting.done()
    waiting.cancel()


async def test_only_the_first_answer_counts() -> None:
    answers = Answers(SIGNER)
    waiting = answers.expect("s", "a")
    assert answers.put("s", Response("a", {"n": 1}, None)) is True
    assert answers.put("s", Response("a", {"n": 2}, None)) is False
    assert (await waiting).result == {"n": 1}
    assert answers.put("s", Response("a", {"n": 3}, None)) is False


async def test_an_answer_may_come_before_it_is_waited_for() -> None:
    answers = Answers(SIGNER)
    expected = answers.expect("s", "a")
    assert answers.put("s", Response("a", {}, None)) is True
    for _ in range(3):
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        assert (await expected).result == {}


async def test_nothing_is_kept_of_what_was_answered_or_given_up() -> None:
    class Watched(Response):
        """A response that can be watched."""

        __slots__ = ("__weakref__",)

    answers = Answers(SIGNER)
    response = Watched("a", {}, None)
    kept = weakref.ref(response)
    assert answers.put("s", response) is False
    waiting: Any = answers.expect("s", "a")
    assert answers.put("s", response) is True
    assert await waiting is response
    del waiting, response
    await asyncio.sleep(0)
    gc.collect()
    assert kept() is None


async def test_who_gave_up_gets_no_answer() -> None:
    answers = Answers(SIGNER)
    waiting = asyncio.ensure_future(answers.expect("s", "a"))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert answers.put("s", Response("a", {}, None)) is False
