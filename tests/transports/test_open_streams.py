"""What is open in this process: how much of it, and what ends it early."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from mcp_transport import Caller
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.observing import Connection, Observer
from mcp_transport.protocol.errors import TooManyRequests
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revisions import LATEST
from mcp_transport.transports import open_streams
from mcp_transport.transports.open_streams import (
    Ending,
    Full,
    OpenStream,
    OpenStreams,
    StreamEnded,
)
from mcp_transport.transports.replies import EventStream

ADA, BOB = Caller("ada", frozenset({"*"})), Caller("bob", frozenset({"*"}))
PATIENCE_S = 20
OFTEN_S = 0.001


class Held:
    """A credential whose mind can be changed; ``asked`` counts."""

    def __init__(self, now: Caller | Exception | None = ADA) -> None:
        self.now = now
        self.asked = 0

    async def caller(self) -> Caller | None:
        self.asked += 1
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    async def asked_again(self, times: int = 3) -> None:
        """Wait until it was asked so many times more."""
        most = self.asked + times
        async with asyncio.timeout(PATIENCE_S):
            while self.asked < most:  # noqa: ASYNC110 - of a task of the registry's
                await asyncio.sleep(OFTEN_S)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_streams, "CHECK_EVERY_S", OFTEN_S)


def registry(**limits: int) -> OpenStreams:
    return OpenStreams(Limits(**limits))


async def never() -> str:
    await asyncio.get_running_loop().create_future()
    return "never"


async def at_once() -> str:
    return "it"


def waiting(stream: OpenStream) -> asyncio.Task[str]:
    return asyncio.create_task(stream.next(never))


async def ending_of(wait: asyncio.Task[str]) -> Ending:
    """Return why nothing follows."""
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(StreamEnded) as ended:
            await wait
    return ended.value.ending


# How many.


async def test_a_caller_has_room_for_so_many_that_stand() -> None:
    streams = registry(max_streams=2)
    held = [streams.standing(ADA, Held()) for _ in range(2)]
    with pytest.raises(TooManyRequests, match="2 streams and sockets are") as refused:
        streams.standing(ADA, Held())
    assert refused.value.retry_after_s == 5
    others = [streams.standing(BOB, Held(BOB)) for _ in range(2)]
    # What answers a call takes none of that room.
    answering = [streams.answering(ADA, Held()) for _ in range(5)]
    assert len(streams) == 9
    held.pop().close()
    held.append(streams.standing(ADA, Held()))
    for stream in (*held, *others, *answering):
        stream.close()
    assert len(streams) == 0


async def test_closing_once_more_makes_no_more_room() -> None:
    streams = registry(max_streams=2)
    first, second = (streams.standing(ADA, Held()) for _ in range(2))
    for _ in range(3):
        first.close()
    third = streams.standing(ADA, Held())
    with pytest.raises(TooManyRequests):
        streams.standing(ADA, Held())
    for stream in (second, third):
        stream.close()
    assert len(streams) == 0


async def test_a_full_process_takes_no_more_that_stand_and_answers_its_calls() -> None:
    streams = registry(max_open_streams=2)
    one, other = streams.standing(ADA, Held()), streams.answering(BOB, Held(BOB))
    with pytest.raises(Full):
        streams.standing(BOB, Held(BOB))
    third = streams.answering(BOB, Held(BOB))
    for stream in (one, third):
        stream.close()
    streams.standing(BOB, Held(BOB)).close()
    other.close()
    assert len(streams) == 0


# What ends one.


async def test_what_follows_comes_until_it_is_ended() -> None:
    streams = registry()
    stream = streams.standing(ADA, Held())
    assert await stream.next(at_once) == "it"
    wait = waiting(stream)
    await asyncio.sleep(0)
    stream.end(Ending.RESTART)
    # The first ending is the one that counts.
    stream.end(Ending.WITHDRAWN)
    assert await ending_of(wait) is Ending.RESTART
    with pytest.raises(StreamEnded):
        await stream.next(at_once)
    stream.close()


async def test_the_time_that_somebody_else_ran_out_of_ends_nothing() -> None:
    async def late() -> str:
        raise TimeoutError("of another kind")

    stream = registry().standing(ADA, Held())
    with pytest.raises(TimeoutError, match="of another kind"):
        await stream.next(late)
    assert await stream.next(at_once) == "it"
    stream.close()


async def test_who_stops_waiting_is_not_told_that_the_stream_ended() -> None:
    stream = registry().standing(ADA, Held())
    wait = waiting(stream)
    await asyncio.sleep(0)
    wait.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait
    assert stream.ending is None
    stream.close()


@pytest.mark.parametrize(
    "later",
    [
        None,
        BOB,
        Caller("ada", frozenset()),
        Caller("ada", frozenset({"*"}), frozenset({"shop.view"})),
        Caller("ada", frozenset({"*"}), tools=frozenset({"echo"})),
    ],
)
@pytest.mark.usefixtures("often")
async def test_a_credential_that_grants_something_else_ends_what_it_opened(
    later: Caller | None,
) -> None:
    streams, fading, lasting = registry(), Held(), Held(BOB)
    one = streams.standing(ADA, fading)
    answering = streams.answering(ADA, fading)
    other = streams.standing(BOB, lasting)
    waits = [waiting(one), waiting(answering)]
    others = waiting(other)
    await fading.asked_again()
    assert not any(wait.done() for wait in waits)
    fading.now = later
    for wait in waits:
        assert await ending_of(wait) is Ending.WITHDRAWN
    await lasting.asked_again()
    assert not others.done()
    others.cancel()
    for stream in (one, answering, other):
        stream.close()


@pytest.mark.usefixtures("often")
async def test_an_authenticator_that_fails_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    streams, failing, fading = registry(), Held(), Held(BOB)
    stream, other = streams.standing(ADA, failing), streams.standing(BOB, fading)
    waits = waiting(stream), waiting(other)
    failing.now = RuntimeError("no database")
    await failing.asked_again()
    assert not waits[0].done()
    # Nor does it hide what became of the others, or of itself.
    fading.now = None
    assert await ending_of(waits[1]) is Ending.WITHDRAWN
    failing.now = None
    assert await ending_of(waits[0]) is Ending.WITHDRAWN
    errors = {r.getMessage() for r in caplog.records if r.levelno == logging.ERROR}
    assert errors == {"the credential of an open stream could not be checked"}
    for one in (stream, other):
        one.close()


@pytest.mark.usefixtures("often")
async def test_credentials_are_looked_at_while_something_is_open_and_no_longer() -> (
    None
):
    streams, held = registry(), Held()
    for _ in range(2):
        stream = streams.standing(ADA, held)
        await held.asked_again()
        stream.close()
        watching = streams._watching
        assert watching is not None
        async with asyncio.timeout(PATIENCE_S):
            await watching
    asked = held.asked
    for _ in range(20):
        await asyncio.sleep(OFTEN_S)
    assert held.asked == asked


# Before a restart.


async def test_before_a_restart_what_answers_no_call_ends_first() -> None:
    streams = registry()
    assert streams.answering_calls is False
    standing, answering = streams.standing(ADA, Held()), streams.answering(ADA, Held())
    answering.answers = True  # as of a response that carries one
    waits = waiting(standing), waiting(answering)
    await asyncio.sleep(0)
    assert streams.answering_calls is True
    streams.end_waiting()
    assert await ending_of(waits[0]) is Ending.RESTART
    assert answering.ending is None
    streams.end_all()
    assert await ending_of(waits[1]) is Ending.RESTART
    for stream in (standing, answering):
        stream.close()
    assert streams.answering_calls is False


async def test_who_comes_too_late_is_sent_away_at_once() -> None:
    streams = registry()
    streams.end_waiting()
    standing, answering = streams.standing(ADA, Held()), streams.answering(ADA, Held())
    assert await ending_of(waiting(standing)) is Ending.RESTART
    assert answering.ending is None
    for stream in (standing, answering):
        stream.close()


async def test_the_end_of_the_last_one_is_waited_for_and_not_for_ever() -> None:
    streams = registry()
    await streams.emptied(PATIENCE_S)
    one, other = (streams.standing(ADA, Held()) for _ in range(2))
    await streams.emptied(0.01)
    assert len(streams) == 2
    waiting = asyncio.create_task(streams.emptied(PATIENCE_S))
    await asyncio.sleep(0)
    one.close()
    await asyncio.sleep(0)
    assert not waiting.done()
    other.close()
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    assert len(streams) == 0


# What is seen of them.


async def test_those_that_were_used_last_are_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = iter(range(1, 100))
    monkeypatch.setattr(open_streams, "time", Ticking(moments))
    streams = registry()
    first, second, third = (streams.standing(ADA, Held()) for _ in range(3))
    assert await first.next(at_once) == "it"
    census = streams.census(2)
    assert [seen.handle for seen in census.seen] == [first.handle, third.handle]
    assert census.total == 3
    assert (census.seen[0].began_at, census.seen[0].used_at) == (1, 4)
    for stream in (first, second, third):
        stream.close()
    assert streams.census(2).total == 0


class Ticking:
    """A clock that moves on when it is looked at."""

    def __init__(self, moments: Iterator[int]) -> None:
        self._moments = moments

    def time(self) -> float:
        return next(self._moments)


async def test_it_is_told_when_what_is_seen_changes() -> None:
    changes: list[int] = []
    streams = OpenStreams(Limits(), lambda: changes.append(len(streams)))
    stream = streams.standing(ADA, Held())
    stream.meet(Peer(LATEST, info={"name": "app", "version": "1"}))
    # The same client says it with each request.
    stream.meet(Peer(LATEST, info={"name": "app", "version": "1"}))
    (seen,) = streams.census(9).seen
    assert (seen.client, seen.revision) == ("app 1", LATEST.name)
    stream.close()
    stream.close()
    assert changes == [1, 1, 0]


async def test_one_is_dismissed_by_its_handle() -> None:
    streams = registry()
    one, other = (streams.standing(ADA, Held()) for _ in range(2))
    assert streams.dismiss(one.handle)
    assert await ending_of(waiting(one)) is Ending.DISMISSED
    assert other.ending is None
    one.close()
    assert not streams.dismiss(one.handle)
    other.close()


# What is told of it.


class Noting(Observer):
    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    def connection_began(self, connection: Connection) -> None:
        assert connection.caller is ADA
        self.told.append((connection.door, connection.ending, connection.sent_bytes))

    connection_ended = connection_began


async def two_pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"three"


async def one_piece() -> AsyncIterator[bytes]:
    yield b"one"
    await asyncio.get_running_loop().create_future()


async def read(response: EventStream) -> list[bytes]:
    pieces: Any = response.streaming_content
    return [piece async for piece in pieces]


async def test_observers_hear_of_a_stream_that_stands() -> None:
    noting = Noting()
    stream = OpenStreams(Limits(), observers=[noting]).standing(ADA, Held())
    carried = stream.carry(EventStream(two_pieces(), "sse", None))
    assert noting.told == [("sse", "", 0)]
    assert await read(carried) == [b"one", b"three"]
    stream.close()
    assert noting.told[1:] == [("sse", "over", 8)]


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (Ending.RESTART, "going_away"),
        (Ending.WITHDRAWN, "no_credential"),
        (Ending.DISMISSED, "dismissed"),
    ],
)
async def test_observers_hear_why_a_stream_was_ended(ending: Ending, told: str) -> None:
    noting = Noting()
    stream = OpenStreams(Limits(), observers=[noting]).standing(ADA, Held())
    pieces: Any = stream.carry(EventStream(one_piece(), "sse", None)).streaming_content
    assert await anext(pieces) == b"one"
    stream.end(ending)
    async with asyncio.timeout(PATIENCE_S):
        _ = [piece async for piece in pieces]
    assert noting.told[1:] == [("sse", told, 3)]


async def test_observers_hear_that_a_client_left() -> None:
    noting = Noting()
    stream = OpenStreams(Limits(), observers=[noting]).standing(ADA, Held())
    pieces: Any = stream.carry(EventStream(one_piece(), "sse", None)).streaming_content
    await anext(pieces)
    await pieces.aclose()
    stream.close()
    assert noting.told[1:] == [("sse", "client_left", 3)]


async def test_of_a_stream_that_answers_a_call_the_call_is_told() -> None:
    noting = Noting()
    stream = OpenStreams(Limits(), observers=[noting]).answering(ADA, Held())
    await read(stream.carry(EventStream(two_pieces(), "streamable-http", None)))
    assert noting.told == []
