from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.exchange import Arrival, Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.protocol.errors import ProtocolError
from mcp_transport.protocol.messages import Request, loads
from mcp_transport.protocol.peer import Peer
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.engine.exchanges import (
    BINDING,
    PATIENCE_S,
    every_revision,
    said,
    serving,
    session_of,
)


def exchange_of(
    revision: Revision = LATEST, method: str = "tools/call", **limits: Any
) -> Exchange:
    """Return an exchange that nobody answers yet."""
    message = Request("r1", method, {})
    session = session_of(revision) if revision.stateful else None
    server = serving(limits=Limits(**limits))
    exchange = Exchange(server, Arrival(message, BINDING, ANONYMOUS, session=session))
    exchange.peer = Peer(revision)
    return exchange


def taken(exchange: Exchange) -> list[Any]:
    return [loads(message) for message in exchange.take()]


def methods(messages: list[Any]) -> list[str]:
    return [message.get("method", "response") for message in messages]


async def test_it_knows_its_request() -> None:
    exchange = exchange_of(LATEST_STATEFUL)
    assert exchange.request_id == "r1"
    assert exchange.method == "tools/call"
    assert exchange.params == {}
    assert exchange.caller is ANONYMOUS
    assert exchange.session is exchange.arrival.session is not None
    assert exchange_of(LATEST).session is None


async def test_messages_come_in_order_and_the_response_is_the_last() -> None:
    exchange = exchange_of()
    exchange.notify("notifications/message", {"data": 1})
    exchange.notify("notifications/message", {"data": 2})
    assert (exchange.pending, exchange.done) == (2, False)
    exchange.respond({"ok": True})
    assert (exchange.pending, exchange.done) == (3, True)
    assert (exchange.answered, exchange.over) == (True, False)
    assert taken(exchange) == [
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": 1}},
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": 2}},
        {"jsonrpc": "2.0", "id": "r1", "result": {"ok": True}},
    ]
    assert (exchange.pending, exchange.take(), exchange.over) == (0, [], True)


async def test_a_result_may_be_encoded_already() -> None:
    exchange = exchange_of()
    exchange.respond(b'{"tools":[]}')
    assert exchange.take() == [b'{"jsonrpc":"2.0","id":"r1","result":{"tools":[]}}']


async def test_nothing_goes_out_after_the_response() -> None:
    exchange = exchange_of()
    exchange.respond({})
    exchange.notify("notifications/message", {"data": 1})
    exchange.progress(1, {"progress": 1})
    exchange.respond({"second": True})
    exchange.fail(ProtocolError(-32603, "late"))
    exchange.end()
    assert taken(exchange) == [{"jsonrpc": "2.0", "id": "r1", "result": {}}]
    assert exchange.error is None


async def test_nothing_goes_out_after_a_cancel() -> None:
    exchange = exchange_of()
    exchange.notify("notifications/message", {"data": 1})
    exchange.call.cancel()
    exchange.notify("notifications/message", {"data": 2})
    exchange.respond({})
    assert (exchange.done, exchange.answered) == (True, False)
    assert methods(taken(exchange)) == ["notifications/message"]


async def test_an_error_is_a_response_and_is_kept() -> None:
    exchange = exchange_of()
    exchange.fail(ProtocolError(-32602, "no", {"why": "so"}))
    assert taken(exchange) == [
        {
            "jsonrpc": "2.0",
            "id": "r1",
            "error": {"code": -32602, "message": "no", "data": {"why": "so"}},
        }
    ]
    assert exchange.error is not None
    assert exchange.error.code == -32602
    assert exchange.refused is False


async def test_a_refusal_is_an_error_that_says_so() -> None:
    exchange = exchange_of()
    exchange.refuse(ProtocolError(-32600, "no"))
    assert exchange.refused is True
    assert exchange.error is not None
    assert methods(taken(exchange)) == ["response"]


async def test_an_end_without_a_response_is_an_end() -> None:
    exchange = exchange_of()
    exchange.end()
    assert (exchange.done, exchange.answered, exchange.over) == (True, False, True)
    assert exchange.take() == []
    assert await said(exchange) == []


async def test_iterating_gives_what_comes_until_the_end() -> None:
    exchange = exchange_of()
    loop = asyncio.get_running_loop()
    exchange.notify("notifications/message", {"data": 1})
    loop.call_soon(exchange.notify, "notifications/message", {"data": 2})
    loop.call_soon(lambda: loop.call_soon(exchange.respond, {}))
    assert methods(await said(exchange)) == [
        "notifications/message",
        "notifications/message",
        "response",
    ]


async def test_waiting_ends_with_the_first_message_or_with_the_end() -> None:
    loop = asyncio.get_running_loop()
    exchange = exchange_of()
    loop.call_soon(exchange.notify, "notifications/message", {})
    assert await exchange.wait(PATIENCE_S) is True
    assert exchange.pending == 1
    assert await exchange.wait() is True
    exchange.take()
    loop.call_soon(exchange.end)
    assert await exchange.wait() is True
    assert await exchange.wait() is True


async def test_waiting_in_silence_has_an_end() -> None:
    exchange = exchange_of()
    assert await exchange.wait(0.001) is False
    exchange.respond({})
    assert await exchange.wait(0.001) is True


async def test_another_thread_may_speak_and_is_heard_in_order() -> None:
    exchange = exchange_of()

    def speak() -> None:
        for value in range(50):
            exchange.notify("notifications/message", {"data": value})
        exchange.progress(1, {"progress": 1})
        exchange.hang_up(5)

    thread = threading.Thread(target=speak)
    thread.start()
    await asyncio.to_thread(thread.join, PATIENCE_S)
    assert exchange.hang_up_ms == 5
    exchange.respond({})
    messages = taken(exchange)
    assert [m["params"]["data"] for m in messages[:50]] == list(range(50))
    assert methods(messages[50:]) == ["notifications/progress", "response"]


async def test_progress_only_goes_up() -> None:
    exchange = exchange_of()
    for value in (0, 1, 1, 0.5, 1.5, -3, 2):
        exchange.progress(value, {"progress": value})
    assert [m["params"]["progress"] for m in taken(exchange)] == [0, 1, 1.5, 2]


async def test_what_a_second_run_repeats_is_not_sent_again() -> None:
    exchange = exchange_of()
    exchange.log({"data": "a"})
    exchange.log({"data": "b"})
    exchange.progress(1, {"progress": 1})
    assert exchange.pending == 3
    exchange.take()
    exchange.rewind()
    exchange.log({"data": "a"})
    exchange.log({"data": "b"})
    exchange.progress(1, {"progress": 1})
    assert exchange.pending == 0
    exchange.log({"data": "c"})
    exchange.rewind()
    exchange.log({"data": "a"})
    exchange.log({"data": "b"})
    exchange.log({"data": "c"})
    exchange.log({"data": "d"})
    exchange.progress(2, {"progress": 2})
    messages = taken(exchange)
    assert [m["params"].get("data") for m in messages] == ["c", "d", None]


def logged(messages: list[Any]) -> list[Any]:
    return [message["params"]["data"] for message in messages]


def behind(log_level: str = "info", **limits: Any) -> Exchange:
    """Return an exchange whose door is still busy with what it took."""
    exchange = exchange_of(**limits)
    exchange.peer = Peer(LATEST, log_level=log_level)
    exchange.log({"level": "emergency", "data": "first"})
    assert logged(taken(exchange)) == ["first"]
    return exchange


async def test_a_slow_reader_misses_reports_and_is_told_of_it() -> None:
    exchange = behind(max_unread_bytes=500)
    for number in range(20):
        exchange.log({"level": "info", "data": number})
        exchange.progress(number, {"progress": number})
    early = [m["params"] for m in taken(exchange)]
    kept = sum("data" in params for params in early)
    assert 2 < kept < 10
    exchange.log({"level": "info", "data": "after"})
    told = f"{20 - kept} log messages were dropped: unread for too long"
    assert logged(taken(exchange)) == [told, "after"]
    exchange.log({"level": "info", "data": "then"})
    assert logged(taken(exchange)) == ["then"]
    exchange.progress(20, {"progress": 20})
    assert methods(taken(exchange)) == ["notifications/progress"]


async def test_the_response_is_never_dropped_and_comes_behind_what_was() -> None:
    exchange = behind(max_unread_bytes=1)
    for number in range(3):
        exchange.log({"level": "info", "data": number})
    exchange.respond({"ok": True})
    *early, response = taken(exchange)
    assert logged(early) == [0, "2 log messages were dropped: unread for too long"]
    assert response["result"] == {"ok": True}


async def test_who_hears_no_warnings_is_not_warned() -> None:
    exchange = behind("error", max_unread_bytes=1)
    for number in range(3):
        exchange.log({"level": "error", "data": number})
    exchange.respond({"ok": True})
    *early, _ = taken(exchange)
    assert logged(early) == [0]


async def test_a_burst_is_no_stall() -> None:
    exchange = exchange_of(max_unread_bytes=1)
    exchange.peer = Peer(LATEST, log_level="info")
    for number in range(20):
        exchange.log({"level": "info", "data": number})
    assert logged(taken(exchange)) == list(range(20))
    door = asyncio.create_task(exchange.wait())
    await asyncio.sleep(0)
    for number in range(20):
        exchange.log({"level": "info", "data": number})
    assert await door
    assert logged(taken(exchange)) == list(range(20))


async def test_reading_makes_room() -> None:
    exchange = behind(max_unread_bytes=1)
    for number in range(3):
        exchange.log({"level": "info", "data": number})
        assert loads(await anext(exchange))["params"]["data"] == number


async def test_a_hang_up_wakes_and_does_not_end() -> None:
    exchange = exchange_of()
    assert exchange.ready is False
    asyncio.get_running_loop().call_soon(exchange.hang_up, 250)
    assert await exchange.wait(PATIENCE_S) is True
    assert (exchange.hang_up_ms, exchange.ready, exchange.done) == (250, True, False)


async def test_settling_waits_for_the_response_alone() -> None:
    exchange = exchange_of()
    loop = asyncio.get_running_loop()
    exchange.notify("notifications/message", {})
    loop.call_soon(exchange.hang_up, 5)
    loop.call_soon(lambda: loop.call_soon(exchange.respond, {"ok": 1}))
    async with asyncio.timeout(PATIENCE_S):
        await exchange.settle()
    assert methods(taken(exchange)) == ["response"]


@every_revision
async def test_leaving_means_what_the_revision_says(revision: Revision) -> None:
    exchange = exchange_of(revision)
    async with exchange:
        pass
    assert exchange.call.cancelled is not revision.stateful
    assert exchange.done is not revision.stateful


@pytest.mark.parametrize("revision", [LATEST, LATEST_STATEFUL])
async def test_leaving_what_is_done_cancels_nothing(revision: Revision) -> None:
    exchange = exchange_of(revision)
    async with exchange:
        exchange.respond({})
    assert exchange.call.cancelled is False


async def test_another_thread_may_leave() -> None:
    exchange = exchange_of(LATEST)
    threads = []
    waiting = asyncio.create_task(exchange.wait(PATIENCE_S))
    waiting.add_done_callback(lambda _: threads.append(threading.get_ident()))
    await asyncio.to_thread(exchange.leave)
    assert await waiting is True
    assert (exchange.done, exchange.call.cancelled) == (True, True)
    await asyncio.sleep(0)
    assert threads == [threading.get_ident()]
