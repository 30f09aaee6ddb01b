"""How many requests of one connection may run at a time."""

from __future__ import annotations

import asyncio

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import INVALID_REQUEST, TOO_MANY_REQUESTS
from mcp_transport.protocol.questions import Elicit
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST_STATEFUL, STATEFUL
from mcp_transport.transports.duplex import Flooded
from tests.engine.exchanges import Json, every_revision, over, serving
from tests.transports.test_duplex import BATCHING, Scripted, connected, stateless

LIMIT = 3
REFUSAL = {
    "code": TOO_MANY_REQUESTS,
    "message": "more than 3 requests are in flight",
}
FORM = Elicit("Where?", {"type": "object", "properties": {"a": {"type": "string"}}})


def waiting() -> tuple[Server, asyncio.Event]:
    """Return a server whose tool ``wait`` ends when the event is set."""
    shelf, done = Shelf(), asyncio.Event()

    @shelf.tool
    async def wait() -> str:
        await done.wait()
        return "done"

    @shelf.tool
    async def ask(ctx: Context) -> str:
        return str(ctx.ask(it=FORM)["it"]["action"])

    return serving(shelf, limits=Limits(max_in_flight=LIMIT)), done


def calls(transport: Scripted, *ids: int, name: str = "wait") -> None:
    for id in ids:
        transport.asks(id, "tools/call", stateless(name=name))


async def refused(transport: Scripted) -> int:
    """Return whose refusal is heard next."""
    message = await transport.hears()
    assert message["error"] == REFUSAL
    id: int = message["id"]
    return id


@every_revision
async def test_one_more_than_may_run_is_refused(revision: Revision) -> None:
    server, done = waiting()
    shaken = revision if revision.stateful else None
    call: Json = {"name": "wait"}
    async with connected(server, shaken) as transport:
        for id in range(LIMIT + 1):
            params = call if revision.stateful else stateless(**call)
            transport.asks(id, "tools/call", params)
        assert await refused(transport) == LIMIT
        assert len(server.calls) == LIMIT
        done.set()
        heard = [await transport.hears() for _ in range(LIMIT)]
        assert [message["id"] for message in heard] == list(range(LIMIT))
        assert all("result" in message for message in heard)
    assert [error.code for error in transport.errors] == [TOO_MANY_REQUESTS]


async def test_what_has_ended_makes_room() -> None:
    server, done = waiting()
    async with connected(server) as transport:
        calls(transport, *range(LIMIT))
        transport.tells("notifications/cancelled", requestId=1)
        await asyncio.sleep(0)
        calls(transport, 10, 11)
        assert await refused(transport) == 11
        done.set()
        assert {(await transport.hears())["id"] for _ in range(LIMIT)} == {0, 2, 10}
        transport.asks(12, "tools/list", stateless())
        assert "result" in await transport.hears()


@over(*(r for r in STATEFUL.values() if ("elicitation", "form") in r.asks))
async def test_answers_and_cancels_get_through_all_the_same(revision: Revision) -> None:
    server, _ = waiting()
    async with connected(server, revision, elicitation={}) as transport:
        for id in range(LIMIT):
            transport.asks(id, "tools/call", {"name": "ask"})
        asked = [await transport.hears() for _ in range(LIMIT)]
        transport.tells("notifications/cancelled", requestId=0)
        answer = {
            "jsonrpc": "2.0",
            "id": asked[1]["id"],
            "result": {"action": "cancel"},
        }
        transport.says(answer)
        message = await transport.hears()
        assert message["id"] == 1
        assert message["result"]["content"][0]["text"] == "cancel"


async def test_who_is_refused_that_often_again_is_left() -> None:
    server, _ = waiting()
    async with connected(server) as transport:
        calls(transport, *range(LIMIT + LIMIT + 1))
        refusals = [await refused(transport) for _ in range(LIMIT + 1)]
        assert refusals == [3, 4, 5, 6]
        transport.asks(7, "tools/list", stateless())
    assert transport.happened == ["start", "close"]
    kinds = [isinstance(error, Flooded) for error in transport.errors]
    assert kinds == [False, False, False, True]
    assert len(server.calls) == 0
    assert transport.unheard == 0


async def test_a_success_in_between_is_a_new_start() -> None:
    server, _ = waiting()
    async with connected(server) as transport:
        calls(transport, *range(LIMIT))
        for round in range(1, 4):
            calls(transport, *range(10 * round, 10 * round + LIMIT))
            for _ in range(LIMIT):
                assert await refused(transport) // 10 == round
            transport.tells("notifications/cancelled", requestId=0)
            await asyncio.sleep(0)
            calls(transport, 0)
        transport.tells("notifications/cancelled", requestId=0)
        await transport.catches_up()
    assert transport.happened == ["start", "close"]
    assert not any(isinstance(error, Flooded) for error in transport.errors)


async def test_other_mistakes_do_not_count() -> None:
    server, _ = waiting()
    async with connected(server) as transport:
        calls(transport, 0)
        for _ in range(3 * LIMIT):
            calls(transport, 0)
            assert (await transport.hears())["error"]["code"] == INVALID_REQUEST
        transport.asks(1, "tools/list", stateless())
        assert "result" in await transport.hears()


@over(*BATCHING)
async def test_each_request_of_a_batch_counts(revision: Revision) -> None:
    server, done = waiting()
    async with connected(server, revision) as transport:
        call = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "wait"}}
        transport.says([{**call, "id": id} for id in range(LIMIT + 2)])
        assert [await refused(transport) for _ in range(2)] == [3, 4]
        done.set()
        assert [(await transport.hears())["id"] for _ in range(LIMIT)] == [0, 1, 2]


async def test_a_session_is_counted_by_itself() -> None:
    server, _ = waiting()
    async with (
        connected(server, LATEST_STATEFUL) as one,
        connected(server, LATEST_STATEFUL) as other,
    ):
        for id in range(LIMIT + 1):
            one.asks(id, "tools/call", {"name": "wait"})
        assert await refused(one) == LIMIT
        other.asks(1, "ping")
        assert (await other.hears())["result"] == {}
