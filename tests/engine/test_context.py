from __future__ import annotations

import threading
from typing import Any

import pytest

from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.engine.context import Context
from mcp_transport.engine.errors import InputRequired
from mcp_transport.engine.exchange import Arrival, Exchange
from mcp_transport.protocol.messages import Request, loads
from mcp_transport.protocol.peer import LEVELS, Peer
from mcp_transport.protocol.questions import Elicit, ListRoots
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL, REVISIONS
from tests.engine.exchanges import BINDING, every_revision, serving

FORM = Elicit("Where?", {"type": "object", "properties": {"a": {"type": "string"}}})
Json = dict[str, Any]
ROOTS: Json = {"roots": [{"uri": "file:///a"}]}


def exchange_of(
    revision: Revision = LATEST,
    params: dict[str, Any] | None = None,
    caller: Caller = ANONYMOUS,
    log_level: str | None = None,
) -> Exchange:
    message = Request(7, "tools/call", params or {})
    exchange = Exchange(serving(), Arrival(message, BINDING, caller))
    exchange.peer = Peer(revision, log_level=log_level)
    return exchange


def sent(exchange: Exchange) -> list[Any]:
    return [loads(message)["params"] for message in exchange.take()]


def asked_for_progress(token: Any) -> dict[str, Any]:
    return {"_meta": {"progressToken": token}}


async def test_it_tells_who_calls_and_what() -> None:
    user = object()
    caller = Caller("token:1", frozenset({"tools"}), user=user)
    params = {"name": "count", "arguments": {"a": 1}}
    exchange = exchange_of(params=params, caller=caller)
    context = Context(exchange, {})
    assert context.caller is caller
    assert context.user is user
    assert context.client is exchange.peer
    assert context.request_id == 7
    assert context.method == "tools/call"
    assert context.params == params
    assert Context(exchange_of(), {}).user is None


async def test_it_tells_when_the_call_was_cancelled() -> None:
    exchange = exchange_of()
    context = Context(exchange, {})
    assert context.cancelled is False
    exchange.call.cancel()
    assert (context.cancelled, context.timed_out) == (True, False)


async def test_it_tells_how_the_request_came() -> None:
    exchange = exchange_of()
    assert Context(exchange, {}).arrival is exchange.arrival


async def test_it_tells_when_the_call_ran_out_of_time() -> None:
    exchange = exchange_of()
    context = Context(exchange, {})
    assert context.timed_out is False
    exchange.timed_out = True
    assert context.timed_out is True


# Asking.


async def test_asking_without_an_answer_raises_past_every_except() -> None:
    context = Context(exchange_of(), {})
    with pytest.raises(InputRequired) as caught:
        try:
            context.ask(where=FORM, roots=ListRoots())
        except Exception:
            pytest.fail("the question was swallowed")
    assert caught.value.questions.keys() == {"where", "roots"}
    assert caught.value.refused == {}


async def test_asking_with_all_answers_returns_them() -> None:
    accepted = {"action": "accept", "content": {"a": "x"}}
    given: Json = {"where": accepted, "roots": ROOTS, "unasked": {"b": 1}}
    context = Context(exchange_of(), given)
    answers = context.ask(where=FORM, roots=ListRoots())
    assert answers == {"where": accepted, "roots": ROOTS}
    assert context.answered == {"where": accepted, "roots": ROOTS}


async def test_only_what_has_no_answer_is_asked() -> None:
    context = Context(exchange_of(), {"roots": ROOTS})
    with pytest.raises(InputRequired) as caught:
        context.ask(where=FORM, roots=ListRoots())
    assert caught.value.questions == {"where": FORM}
    assert context.answered == {"roots": ROOTS}


async def test_nothing_asked_is_nothing_answered() -> None:
    assert Context(exchange_of(), {}).ask() == {}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"action": "accept", "content": {"a": 1}}, "a: should be string, got 1"),
        ({"action": "maybe"}, "action must be accept, decline or cancel"),
        ({}, "action must be accept, decline or cancel"),
        ("accept", "an answer must be an object"),
        ([], "an answer must be an object"),
        (False, "an answer must be an object"),
    ],
)
async def test_an_answer_that_is_none_is_refused(answer: Any, why: str) -> None:
    context = Context(exchange_of(), {"where": answer})
    with pytest.raises(InputRequired) as caught:
        context.ask(where=FORM)
    assert caught.value.questions == {}
    assert caught.value.refused.keys() == {"where"}
    assert why in caught.value.refused["where"]
    assert context.answered == {}


# Progress.


@every_revision
async def test_progress_is_told_in_the_fields_of_the_revision(
    revision: Revision,
) -> None:
    exchange = exchange_of(revision, asked_for_progress("p"))
    Context(exchange, {}).progress(1, 4, "a quarter")
    Context(exchange, {}).progress(2.5)
    (first, second) = sent(exchange)
    told = {"progressToken": "p", "progress": 1, "total": 4}
    if "message" in revision.fields["ProgressParams"]:
        told["message"] = "a quarter"
    assert first == told
    assert second == {"progressToken": "p", "progress": 2.5}


def test_the_first_revision_alone_has_no_message_with_progress() -> None:
    having = [
        name
        for name, revision in REVISIONS.items()
        if "message" in revision.fields["ProgressParams"]
    ]
    assert having == list(REVISIONS)[1:]


@pytest.mark.parametrize("token", ["", "p", 0, 5])
async def test_a_token_comes_back_as_it_was(token: str | int) -> None:
    exchange = exchange_of(params=asked_for_progress(token))
    Context(exchange, {}).progress(1)
    (params,) = sent(exchange)
    assert params["progressToken"] == token
    assert type(params["progressToken"]) is type(token)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"_meta": {}},
        {"_meta": None},
        {"_meta": []},
        asked_for_progress(None),
        asked_for_progress(True),
        asked_for_progress({"a": 1}),
        asked_for_progress(1.5),
    ],
)
async def test_progress_without_a_token_is_not_told(params: dict[str, Any]) -> None:
    exchange = exchange_of(params=params)
    Context(exchange, {}).progress(1)
    assert exchange.pending == 0


@pytest.mark.parametrize("params", [{}, asked_for_progress("p")])
@pytest.mark.parametrize(
    "numbers",
    [(float("nan"),), (float("inf"),), (1, float("nan")), (1, float("-inf"))],
)
async def test_progress_without_a_number_is_the_developers_fault(
    numbers: tuple[Any, ...], params: dict[str, Any]
) -> None:
    exchange = exchange_of(params=params)
    with pytest.raises(ValueError, match="must be finite"):
        Context(exchange, {}).progress(*numbers)
    assert exchange.pending == 0


# Logging.


@pytest.mark.parametrize("level", [None, *LEVELS])
async def test_only_levels_that_the_client_wants_are_sent(level: str | None) -> None:
    exchange = exchange_of(log_level=level)
    for each in LEVELS:
        Context(exchange, {}).log(each, {"said": each})  # type: ignore[arg-type]
    heard = [params["level"] for params in sent(exchange)]
    assert heard == ([] if level is None else list(LEVELS[LEVELS.index(level) :]))


async def test_a_log_message_says_its_logger_if_it_has_one() -> None:
    exchange = exchange_of(log_level="debug")
    context = Context(exchange, {})
    context.log("info", "plain")
    context.log("error", {"why": [1, None]}, "shop.orders")
    assert sent(exchange) == [
        {"level": "info", "data": "plain"},
        {"level": "error", "data": {"why": [1, None]}, "logger": "shop.orders"},
    ]


@pytest.mark.parametrize("log_level", [None, "debug"])
async def test_a_level_that_there_is_not_is_the_developers_fault(
    log_level: str | None,
) -> None:
    context = Context(exchange_of(log_level=log_level), {})
    with pytest.raises(ValueError, match="'loud' is none of debug, info"):
        context.log("loud", "x")  # type: ignore[arg-type]


# The rest.


@every_revision
async def test_only_a_client_that_can_come_back_is_let_go(revision: Revision) -> None:
    exchange = exchange_of(revision)
    Context(exchange, {}).close_stream(retry_ms=50)
    assert exchange.hang_up_ms == (50 if revision is LATEST_STATEFUL else None)


async def test_a_plain_function_runs_on_the_pool() -> None:
    name = await Context(exchange_of(), {}).run_sync(
        lambda: threading.current_thread().name
    )
    assert name.startswith("mcp-tool")
