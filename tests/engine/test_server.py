from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.exchange import Arrival, Binding
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.methods import METHODS
from mcp_transport.engine.server import CallNext, Hook, Result, Server
from mcp_transport.engine.session import Session
from mcp_transport.protocol.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    UNSUPPORTED_PROTOCOL_VERSION,
    ProtocolError,
)
from mcp_transport.protocol.lifecycle import Phase
from mcp_transport.protocol.messages import Request, Response
from mcp_transport.protocol.peer import (
    CAPABILITIES_KEY,
    SERVER_INFO_KEY,
    VERSION_KEY,
)
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import (
    LATEST,
    LATEST_STATEFUL,
    PLAIN,
    REVISIONS,
    STATELESS,
)
from tests.engine.exchanges import (
    PATIENCE_S,
    Json,
    end_of,
    error,
    every_revision,
    every_stateful,
    every_stateless,
    handed,
    notified,
    opened,
    reply,
    result,
    said,
    serving,
    session_of,
)


def waiting_shelf() -> tuple[Shelf, list[str]]:
    """Return a shelf with tools that wait, and a list of how they ended."""
    shelf, ended = Shelf(), []

    @shelf.tool
    async def wait() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("cancelled")
        return "never"

    @shelf.tool
    async def stubborn() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append("swallowed")
        return "too late"

    return shelf, ended


def phase_of(session: Session) -> Phase:
    return session.phase


# Which methods there are.


def test_every_method_of_every_revision_is_answered() -> None:
    spoken = [*REVISIONS.values(), PLAIN]
    listed = {name for revision in spoken for name in revision.requests}
    assert listed == set(METHODS)


@every_revision
async def test_a_method_that_a_revision_lacks_does_not_exist(
    revision: Revision,
) -> None:
    server = serving()
    missing = set(METHODS) - revision.requests
    for method in [*sorted(missing), "tools/steal", "", "constructor"]:
        assert await error(server, method, revision=revision) == {
            "code": METHOD_NOT_FOUND,
            "message": f"Method not found: {method}",
        }
    assert missing


# Who asks.


@every_stateful
async def test_a_session_begins_with_a_handshake(revision: Revision) -> None:
    server, session = serving(), Session.new(ANONYMOUS)
    assert await error(server, "tools/list", session=session) == {
        "code": INVALID_REQUEST,
        "message": "tools/list came before initialize",
    }
    assert await result(server, "ping", session=session) == {}
    notified(server, session, "notifications/initialized")
    assert phase_of(session) is Phase.NEW
    hello = {"protocolVersion": revision.name, "capabilities": {"roots": {}}}
    shaken = await result(server, "initialize", hello, session=session)
    assert shaken["protocolVersion"] == revision.name
    assert phase_of(session) is Phase.INITIALIZED
    assert session.peer is not None
    assert session.peer.revision is revision
    assert session.peer.capabilities == {"roots": {}}
    assert await error(server, "initialize", hello, session=session) == {
        "code": INVALID_REQUEST,
        "message": "this session is initialized already",
    }
    notified(server, session, "notifications/initialized")
    assert phase_of(session) is Phase.READY
    assert (await result(server, "tools/list", session=session))["tools"] == []
    again = await error(server, "initialize", hello, session=session)
    assert again["code"] == INVALID_REQUEST
    assert session.peer.revision is revision


async def test_a_handshake_that_fails_may_be_tried_again() -> None:
    server, session = serving(), Session.new(ANONYMOUS)
    refused = await error(server, "initialize", {}, session=session)
    assert refused["code"] == INVALID_PARAMS
    assert phase_of(session) is Phase.NEW
    hello = {"protocolVersion": "1999", "capabilities": {}}
    shaken = await result(server, "initialize", hello, session=session)
    assert shaken["protocolVersion"] == LATEST_STATEFUL.name


async def test_what_claims_no_revision_and_has_no_session_is_nobodys() -> None:
    for method in ("tools/list", "initialize", "unknown"):
        exchange = handed(serving(), Request(1, method, {}), None)
        assert exchange.refused is True
        (message,) = await said(exchange)
        assert message["error"] == {
            "code": INVALID_PARAMS,
            "message": f"params._meta needs {VERSION_KEY} and {CAPABILITIES_KEY}",
            "data": {"missing": [VERSION_KEY, CAPABILITIES_KEY]},
        }


@every_stateful
async def test_a_stateful_revision_cannot_be_claimed(revision: Revision) -> None:
    meta = {VERSION_KEY: revision.name, CAPABILITIES_KEY: {}}
    exchange = handed(serving(), Request(1, "tools/list", {"_meta": meta}), None)
    assert exchange.refused is True
    (message,) = await said(exchange)
    assert message["error"]["code"] == UNSUPPORTED_PROTOCOL_VERSION
    assert message["error"]["data"] == {
        "supported": list(STATELESS),
        "requested": revision.name,
    }


async def test_a_claim_counts_even_within_a_session() -> None:
    meta = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}
    session = session_of(LATEST_STATEFUL)
    request = Request(1, "server/discover", {"_meta": meta})
    exchange = handed(serving(), request, session)
    assert exchange.peer.revision is LATEST
    (message,) = await said(exchange)
    assert message["result"]["supportedVersions"] == [LATEST.name]


# What every result carries.


@every_revision
async def test_only_a_stateless_result_names_its_server(revision: Revision) -> None:
    info = {"name": "s", "version": "1", "icons": [{"src": "x", "alt": "y"}], "x": 1}
    server = serving(info=info)
    message = await reply(server, "tools/list", revision=revision)
    if revision.stateful:
        assert "_meta" not in message["result"]
        assert "resultType" not in message["result"]
    else:
        assert message["result"]["resultType"] == "complete"
        assert message["result"]["_meta"] == {
            SERVER_INFO_KEY: {"name": "s", "version": "1", "icons": [{"src": "x"}]}
        }


@every_stateless
async def test_two_servers_of_one_catalogue_are_told_apart(revision: Revision) -> None:
    shelf = Shelf()
    servers = [
        serving(shelf, info={"name": name, "version": "1"}) for name in ("one", "other")
    ]
    for server, name in zip(servers, ["one", "other"], strict=True):
        for _ in range(2):
            message = await reply(server, "tools/list", revision=revision)
            named = message["result"]["_meta"][SERVER_INFO_KEY]["name"]
            assert named == name


# Tasks.


@every_revision
async def test_a_call_that_does_not_wait_costs_no_task(revision: Revision) -> None:
    shelf = Shelf()

    @shelf.tool
    async def quick() -> str:
        return "done"

    server = serving(shelf)
    before = asyncio.all_tasks()
    exchanges = [
        opened(server, "tools/call", {"name": "quick"}, revision=revision),
        opened(server, "tools/list", revision=revision),
    ]
    assert all(exchange.done for exchange in exchanges)
    assert len(server.calls) == 0
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_the_requests_of_a_session_have_ids_of_their_own() -> None:
    shelf, ended = waiting_shelf()
    server, session = serving(shelf), session_of(LATEST_STATEFUL)
    first = opened(server, "tools/call", {"name": "wait"}, session=session, id=1)
    assert await error(server, "ping", session=session, id=1) == {
        "code": INVALID_REQUEST,
        "message": "a request with this id is still running",
    }
    assert not first.done
    assert await result(server, "ping", session=session, id="1") == {}
    other = session_of(LATEST_STATEFUL)
    assert await result(server, "ping", session=other, id=1) == {}
    notified(server, session, "notifications/cancelled", requestId=1)
    await end_of(first.call)
    assert await result(server, "ping", session=session, id=1) == {}
    assert ended == ["cancelled"]


async def test_stateless_requests_may_have_the_same_id() -> None:
    shelf, _ = waiting_shelf()
    server = serving(shelf)
    one = opened(server, "tools/call", {"name": "wait"}, id=1)
    other = opened(server, "tools/call", {"name": "wait"}, id=1)
    assert len(server.calls) == 2
    for exchange in (one, other):
        exchange.leave()
        await end_of(exchange.call)


# Cancelling.


@pytest.mark.parametrize(("name", "end"), [("wait", "cancelled"), ("stubborn", "sw")])
async def test_a_cancelled_call_is_ended_and_not_answered(name: str, end: str) -> None:
    shelf, ended = waiting_shelf()
    server, session = serving(shelf), session_of(LATEST_STATEFUL)
    exchange = opened(server, "tools/call", {"name": name}, session=session, id="c")
    notified(server, session, "notifications/cancelled", requestId="c", reason="why")
    assert await said(exchange) == []
    assert exchange.answered is False
    await end_of(exchange.call)
    assert ended[0].startswith(end)
    assert len(server.calls) == 0


@pytest.mark.parametrize("id", ["c", 2, 1.0, True, None, [1], {"id": 1}])
async def test_a_cancel_of_nothing_is_no_matter(id: Any) -> None:
    shelf, ended = waiting_shelf()
    server, session = serving(shelf), session_of(LATEST_STATEFUL)
    exchange = opened(server, "tools/call", {"name": "wait"}, session=session, id=1)
    notified(server, session, "notifications/cancelled", requestId=id)
    notified(server, session, "notifications/cancelled")
    await asyncio.sleep(0)
    assert not exchange.done
    exchange.call.cancel()
    await end_of(exchange.call)


async def test_only_its_own_session_cancels_a_call() -> None:
    shelf, _ = waiting_shelf()
    server, session = serving(shelf), session_of(LATEST_STATEFUL)
    exchange = opened(server, "tools/call", {"name": "wait"}, session=session, id=1)
    for other in (session_of(LATEST_STATEFUL), None):
        notified(server, other, "notifications/cancelled", requestId=1)
    assert exchange.call.cancelled is False
    exchange.call.cancel()
    await end_of(exchange.call)


async def test_a_cancel_of_what_has_ended_is_no_matter() -> None:
    server, session = serving(), session_of(LATEST_STATEFUL)
    assert await result(server, "ping", session=session, id=1) == {}
    notified(server, session, "notifications/cancelled", requestId=1)
    assert await result(server, "ping", session=session, id=1) == {}


async def test_a_plain_tool_sees_that_it_was_cancelled() -> None:
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    seen = []
    shelf = Shelf()

    @shelf.tool
    def plain(ctx: Context) -> str:
        seen.append(ctx.cancelled)
        began.set()
        may_end.wait(PATIENCE_S)
        seen.append(ctx.cancelled)
        ctx.log("error", "nobody hears this")
        ended.set()
        return "too late"

    server = serving(shelf)
    session = session_of(LATEST_STATEFUL, log_level="debug")
    exchange = opened(server, "tools/call", {"name": "plain"}, session=session)
    assert await asyncio.to_thread(began.wait, PATIENCE_S)
    notified(server, session, "notifications/cancelled", requestId=1)
    # Nobody waits for the thread, and the thread goes on.
    assert await said(exchange) == []
    await end_of(exchange.call)
    assert len(server.calls) == 0
    may_end.set()
    assert await asyncio.to_thread(ended.wait, PATIENCE_S)
    assert seen == [False, True]
    assert exchange.take() == []


@every_revision
async def test_leaving_cancels_or_detaches(revision: Revision) -> None:
    shelf, door = Shelf(), asyncio.Event()
    ended = []

    @shelf.tool
    async def wait() -> str:
        try:
            await door.wait()
            ended.append("finished")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "done"

    server = serving(shelf)
    async with opened(
        server, "tools/call", {"name": "wait"}, revision=revision
    ) as exchange:
        pass
    door.set()
    await end_of(exchange.call)
    assert ended == ["finished" if revision.stateful else "cancelled"]
    assert len(await said(exchange)) == (1 if revision.stateful else 0)


# Answers of the client's.


async def test_an_answer_to_nothing_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "mcp_transport")
    server = serving()
    mine, other = session_of(LATEST_STATEFUL), session_of(LATEST_STATEFUL)
    for id in ("ask-1", 1, None, server.answers.new_id(other.id)):
        for session in (None, mine):
            exchange = handed(server, Response(id, {}, None), session)
            assert (exchange.done, exchange.take()) == (True, [])
            assert exchange.unheard is None
    assert caplog.text.count("an answer to no question of ours was dropped") == 4


# Hooks.


@every_revision
async def test_hooks_see_every_method_in_their_order(revision: Revision) -> None:
    seen: list[str] = []

    def hook(name: str) -> Hook:
        async def hook(ctx: Context, call_next: CallNext) -> Result:
            seen.append(f"{name} {ctx.method}")
            result = await call_next(ctx)
            seen.append(f"{name} {ctx.method} done")
            return result

        return hook

    server = serving(hooks=[hook("outer"), hook("inner")])
    for method in sorted(revision.requests - {"subscriptions/listen"}):
        seen.clear()
        session = Session.new(ANONYMOUS) if method == "initialize" else None
        params = {"protocolVersion": revision.name}
        await said(opened(server, method, params, revision=revision, session=session))
        assert seen[:2] == [f"outer {method}", f"inner {method}"]
        if len(seen) > 2:
            assert seen[2:] == [f"inner {method} done", f"outer {method} done"]


async def test_a_hook_may_refuse_and_may_change_the_result() -> None:
    async def refuse(ctx: Context, call_next: CallNext) -> Result:
        if ctx.params.get("name") == "x":
            raise ProtocolError(-1, "no", {"caller": ctx.caller.subject})
        found = await call_next(ctx)
        return {**found, "more": 1} if isinstance(found, dict) else found

    server = serving(hooks=[refuse])
    assert await error(server, "tools/call", {"name": "x"}) == {
        "code": -1,
        "message": "no",
        "data": {"caller": "anonymous"},
    }
    assert (await result(server, "server/discover"))["more"] == 1
    assert (await result(server, "tools/list"))["tools"] == []


async def test_a_hook_may_wait() -> None:
    async def wait(ctx: Context, call_next: CallNext) -> Result:
        await asyncio.sleep(0)
        return await call_next(ctx)

    server = serving(hooks=[wait])
    exchange = opened(server, "tools/list")
    assert not exchange.done
    assert len(await said(exchange)) == 1


class _Odd(BaseException):
    pass


@pytest.mark.parametrize(
    "raised", [ValueError("a secret"), asyncio.CancelledError(), _Odd("a secret")]
)
@pytest.mark.parametrize("turns", [0, 1])
async def test_whatever_fails_the_client_is_answered(
    raised: BaseException, turns: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(ctx: Context, call_next: CallNext) -> Result:
        for _ in range(turns):
            await asyncio.sleep(0)
        raise raised

    server = serving(hooks=[fail])
    found = await error(server, "tools/list")
    assert found.keys() == {"code", "message"}
    assert found["code"] == INTERNAL_ERROR
    reference = found["message"].removeprefix("Internal error (").removesuffix(")")
    assert len(reference) == 8
    assert f"tools/list failed, reference {reference}" in caplog.text
    assert type(raised).__name__ in caplog.text
    assert await server.calls.drain(PATIENCE_S) == 0


async def test_references_are_not_guessable() -> None:
    async def fail(ctx: Context, call_next: CallNext) -> Result:
        raise ValueError

    server = serving(hooks=[fail])
    said = {(await error(server, "tools/list"))["message"] for _ in range(20)}
    assert len(said) == 20


async def test_the_end_of_the_process_is_not_held_up() -> None:
    async def stop(ctx: Context, call_next: CallNext) -> Result:
        sys.exit(3)

    with pytest.raises(SystemExit):
        opened(serving(hooks=[stop]), "tools/list")


def test_a_loop_that_ends_takes_its_calls_with_it() -> None:
    ended: list[Any] = []

    async def main() -> None:
        shelf, cleaned = waiting_shelf()
        exchange = opened(serving(shelf), "tools/call", {"name": "wait"})
        ended.extend([exchange, cleaned])

    asyncio.run(main())
    exchange, cleaned = ended
    assert cleaned == ["cancelled"]
    assert (exchange.done, exchange.answered) == (True, False)


# The server itself.


async def test_what_changes_in_the_catalogue_is_published() -> None:
    shelf = Shelf()
    server = serving(shelf)
    heard: list[Any] = []
    server.changes.subscribe(heard.append)

    @shelf.resource("a://{b}")
    def a(b: str) -> str:
        return b

    assert [change.kind for change in heard] == ["resources"]


async def test_its_limits_are_the_usual_ones_unless_given() -> None:
    assert serving().limits == Limits()
    assert serving(limits=Limits(page_size=3)).limits.page_size == 3


def test_what_it_is_called_cannot_be_changed_from_outside() -> None:
    info: Json = {"name": "s", "version": "1"}
    server: Server = serving(info=info)
    info["name"] = "other"
    assert server.info["name"] == "s"


async def test_a_door_without_sessions_serves_no_handshake() -> None:
    binding = Binding("narrow", {}, STATELESS, streaming=False)
    request = Request(1, "initialize", {"protocolVersion": LATEST_STATEFUL.name})
    exchange = serving().open(Arrival(request, binding, ANONYMOUS))
    assert exchange.refused is True
    assert exchange.error is not None
    assert exchange.error.code == INVALID_PARAMS
