"""A broken stream goes on where it broke, or is refused: never short, never double.

Spec: 2025-11-25 basic/transports #resumability-and-redelivery.
"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.protocol.revisions import REVISIONS
from tests.wire.client import ALL, LEGACY, MODERN, Client, Reply
from tests.wire.conftest import Opened
from tests.wire.test_streams import calling
from tests.wire.tokens import BOB

PRIMING = "2025-11-25"


async def read(reply: Reply, most: int) -> list[dict[str, Any]]:
    """Return the next messages, at most so many."""
    said: list[dict[str, Any]] = []
    async for message in reply.messages():
        said.append(message)
        if len(said) == most:
            break
    return said


def numbers(said: list[dict[str, Any]]) -> list[Any]:
    """Return what was logged, and the text of the response."""
    return [
        m["params"]["data"] if "method" in m else m["result"]["content"][0]["text"]
        for m in said
    ]


def counted(to: int) -> list[Any]:
    return [*range(1, to + 1), f"counted to {to}"]


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("cut_after", [1, 7, 49, 50])
async def test_a_broken_reply_goes_on_where_it_broke(
    opened: Opened, revision: str, cut_after: int
) -> None:
    async with opened(revision) as client:
        async with client.open(calling(client, "count", to=50)) as reply:
            said = await read(reply, cut_after)
            last = reply.last_event_id
        while len(said) < 51:
            async with client.stream(last) as reply:
                assert reply.is_stream
                said += await read(reply, cut_after)
                last = reply.last_event_id
    assert numbers(said) == counted(50)


async def test_a_reply_can_break_before_its_first_message(
    opened: Opened, gate: str
) -> None:
    async with opened(PRIMING) as client:
        message = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(message) as reply:
            place = await reply.event()
        assert place is not None
        assert (place.data, place.retry_ms) == (b"", 1000)
        await client.call("release", gate=gate)
        async with client.stream(place.id) as reply:
            said = await read(reply, 9)
    assert [m.get("params", {}).get("progress") for m in said] == [1, 2, None]


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_finished_reply_can_be_read_again(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        async with client.open(calling(client, "count", to=5)) as reply:
            said = await read(reply, 2)
            second = reply.last_event_id
            said += await read(reply, 99)
            end = reply.last_event_id
        for last, rest in ((second, counted(5)[2:]), (end, [])):
            async with client.stream(last) as reply:
                assert numbers(await read(reply, 99)) == rest
    assert numbers(said) == counted(5)


@pytest.mark.parametrize("revision", LEGACY)
async def test_the_new_connection_has_the_stream_for_itself(
    opened: Opened, revision: str, gate: str
) -> None:
    """The old one may not have been noticed to be dead."""
    async with opened(revision) as client:
        message = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(message) as old:
            await old.message()
            async with client.stream(old.last_event_id) as new:
                await new.piece()
                await client.call("release", gate=gate)
                assert await read(old, 9) == []
                said = await read(new, 9)
    assert [m.get("params", {}).get("progress") for m in said] == [2, None]
    assert said[-1]["id"] == message["id"]


# What cannot be resumed.


@pytest.mark.parametrize("revision", LEGACY)
async def test_an_unknown_place_is_gone(opened: Opened, revision: str) -> None:
    async with opened(revision) as client:
        async with client.open(calling(client, "count", to=3)) as reply:
            await read(reply, 99)
            stream, epoch, number = reply.last_event_id.split(".")
        assert int(number) == 4
        for place in (
            "",
            "x",
            "..",
            f"{stream}.{epoch}",
            f"{stream}.{epoch}.",
            f"{stream}.{epoch}.5",
            f"{stream}.{epoch}.-1",
            f"{stream}.{epoch}.4.4",
            f"{stream}.{epoch}.1e3",
            f"{stream}.{epoch}.\u0661",
            f"{stream}.{epoch}." + "9" * 40,
            f"{stream}.{'0' * len(epoch)}.1",
            f"{'0' * len(stream)}.{epoch}.1",
            f"0.{epoch}.99",
            "a" * 5000,
            "\u2028",
        ):
            response = await client.get(place)
            assert response.status_code == 404, place
            assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_place_in_anothers_stream_is_gone(
    opened: Opened, revision: str
) -> None:
    async with (
        opened(revision) as alice,
        opened(revision) as second,
        opened(revision, token=BOB) as bob,
    ):
        async with alice.open(calling(alice, "count", to=3)) as reply:
            await read(reply, 1)
            place = reply.last_event_id
        for client in (second, bob):
            assert (await client.get(place)).status_code == 404
        bob.session = alice.session
        assert (await bob.get(place)).status_code == 404
        async with alice.stream(place) as reply:
            assert numbers(await read(reply, 9)) == counted(3)[1:]


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("conf", [{"REPLAY_EVENTS": 20}, {"REPLAY_BYTES": 2000}])
async def test_a_place_that_is_out_of_the_window_is_gone(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        async with client.open(calling(client, "count", to=100)) as reply:
            await read(reply, 1)
            place = reply.last_event_id
            await read(reply, 999)
        assert (await client.get(place)).status_code == 404


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("conf", [{"REPLAY_EVENTS": 10}, {"REPLAY_BYTES": 1000}])
@pytest.mark.parametrize("at_once", [True, False])
async def test_who_reads_along_gets_all_however_small_the_window(
    opened: Opened, revision: str, at_once: bool
) -> None:
    async with opened(revision) as client:
        message = calling(client, "count", to=500, at_once=at_once)
        async with client.open(message) as reply:
            assert reply.status == 200
            said = await read(reply, 999)
    assert numbers(said) == counted(500)


async def test_nothing_stateless_can_be_resumed(opened: Opened) -> None:
    async with opened(MODERN) as client:
        for place in ("", "0.0.0"):
            response = await client.get(place)
            assert response.status_code == 405


# Letting the connection go.


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_can_send_the_client_away_for_a_while(
    opened: Opened, revision: str, gate: str
) -> None:
    async with opened(revision) as client:
        message = calling(client, "let_go", gate=gate)
        async with client.open(message) as reply:
            before = await reply.message()
            if revision != PRIMING:
                await client.call("release", gate=gate)
            rest = await read_events(reply)
            place = reply.last_event_id
        assert before["params"]["data"] == "before"
        if revision == PRIMING:
            (hang_up,) = rest
            assert (hang_up.data, hang_up.retry_ms) == (b"", 123)
            await client.call("release", gate=gate)
            async with client.stream(place) as reply:
                after, answer = await read(reply, 9)
            assert after["params"]["data"] == "after"
            assert answer["id"] == message["id"]
        else:
            assert len(rest) == 2
            assert b"after" in rest[0].data
            assert f"released {gate}".encode() in rest[1].data


async def read_events(reply: Reply) -> list[Any]:
    events = []
    while (event := await reply.event()) is not None:
        events.append(event)
    return events


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("conf", [{"STREAM_AGE_S": 0.05, "KEEP_ALIVE_S": 0.02}])
async def test_a_stream_that_is_old_ends_with_a_time_to_come_back(
    opened: Opened, revision: str, gate: str
) -> None:
    async with opened(revision) as client:
        message = calling(client, "hold", gate=gate, aloud=True)
        async with client.open(message) as reply, client.stream() as standing:
            await reply.message()
            for stream in (reply, standing):
                while await stream.piece() is not None:
                    pass
                # Where the revision primes streams, with the place to come back to.
                ending = (b"retry: 1000\ndata: \n\n", b"retry: 1000\n\n")
                primes = REVISIONS[revision].primes_streams
                assert stream.raw.endswith(ending[0] if primes else ending[1])
        await client.call("release", gate=gate)
        async with client.stream(reply.last_event_id) as reply:
            said = await read(reply, 9)
    assert [m.get("id") for m in said] == [None, message["id"]]


# The stream of a session.


async def toggle(client: Client, kind: str) -> None:
    for _ in range(2):
        await client.call("change", kind=kind)


@pytest.mark.parametrize("revision", LEGACY)
async def test_what_changes_meanwhile_is_told_once(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        await toggle(client, "tools")
        async with client.stream() as stream:
            said = await read(stream, 1)
            place = stream.last_event_id
        await toggle(client, "prompts")
        async with client.stream(place) as stream:
            said += await read(stream, 3)
        await toggle(client, "resources")
        async with client.stream() as stream:
            said += await read(stream, 2)
    tools, prompts, resources = (
        f"notifications/{kind}/list_changed"
        for kind in ("tools", "prompts", "resources")
    )
    assert [m["method"] for m in said] == [
        *[tools] * 2,
        *[prompts] * 2,
        *[resources] * 2,
    ]


@pytest.mark.parametrize("revision", LEGACY)
async def test_a_session_has_one_stream_at_a_time(
    opened: Opened, revision: str
) -> None:
    """A second one never silently takes the place of the first."""
    async with opened(revision) as client, opened(revision) as other:
        async with client.stream() as first:
            await first.piece()
            second = await client.get()
            assert second.status_code == 409
            async with other.stream() as theirs:
                assert theirs.status == 200
            await toggle(client, "tools")
            assert len(await read(first, 2)) == 2
        async with client.stream() as third:
            assert third.status == 200


@pytest.mark.parametrize("revision", LEGACY)
@pytest.mark.parametrize("conf", [{"REPLAY_EVENTS": 3}])
async def test_a_session_that_missed_too_much_is_told_to_begin_anew(
    opened: Opened, revision: str
) -> None:
    async with opened(revision) as client:
        for _ in range(3):
            await toggle(client, "tools")
        assert (await client.get()).status_code == 404
