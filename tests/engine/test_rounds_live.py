"""How a session is asked: by requests of ours on the stream of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.exchange import Exchange
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.server import Server
from mcp_transport.engine.session import Session
from mcp_transport.protocol.content import json_text
from mcp_transport.protocol.messages import Response
from mcp_transport.protocol.questions import Elicit, ElicitUrl, Sample
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST_STATEFUL, STATEFUL
from tests.engine.asking import (
    BERGEN,
    CITY,
    EVERYTHING,
    FILES,
    FORM,
    OSLO,
    answer,
    shelf_asking,
)
from tests.engine.exchanges import (
    Json,
    end_of,
    failure_of,
    handed,
    next_of,
    notified,
    opened,
    over,
    said,
    serving,
    session_of,
    text_of,
)

FORMS = [r for r in STATEFUL.values() if ("elicitation", "form") in r.asks]
every_revision_with_forms = over(*FORMS)


def calling(
    name: str,
    arguments: Json | None = None,
    *,
    shelf: Shelf | None = None,
    revision: Revision = LATEST_STATEFUL,
    **limits: Any,
) -> tuple[Server, Session, Exchange]:
    """Call a tool for a client that can be asked everything."""
    server = serving(shelf or shelf_asking(), limits=Limits(**limits))
    session = session_of(revision, capabilities=EVERYTHING, log_level="error")
    params = {"name": name, "arguments": arguments or {}}
    return server, session, opened(server, "tools/call", params, session=session)


async def ended(exchange: Exchange) -> Json:
    """Return the result that the call ends with."""
    message = (await said(exchange))[-1]
    result: Json = message["result"]
    return result


@every_revision_with_forms
async def test_a_question_is_a_request_of_ours(revision: Revision) -> None:
    server, session, exchange = calling("one", revision=revision)
    asked = await next_of(exchange)
    assert asked.keys() == {"jsonrpc", "id", "method", "params"}
    assert asked["method"] == "elicitation/create"
    form = {"message": "Ship to?", "requestedSchema": CITY}
    if "mode" in revision.fields["ElicitParams"]:
        form["mode"] = "form"
    assert asked["params"] == form
    answer(server, session, asked, OSLO)
    assert text_of(await ended(exchange)) == json_text(OSLO)


async def test_a_page_is_asked_for_under_an_id_of_its_own() -> None:
    ids = set()
    for _ in range(2):
        server, session, exchange = calling("one", {"kind": "url"})
        asked = await next_of(exchange)
        ids.add(asked["params"].pop("elicitationId"))
        assert asked["params"] == {
            "mode": "url",
            "message": "Please pay.",
            "url": "https://shop.example/pay",
        }
        answer(server, session, asked, {"action": "accept"})
        assert "isError" not in await ended(exchange)
    assert len(ids) == 2


async def test_answers_are_told_apart_by_their_ids() -> None:
    server, session, exchange = calling("both")
    form, roots = await next_of(exchange), await next_of(exchange)
    assert [form["method"], roots["method"]] == ["elicitation/create", "roots/list"]
    assert form["id"] != roots["id"]
    answer(server, session, roots, FILES)
    assert not exchange.ready
    answer(server, session, form, OSLO)
    assert text_of(await ended(exchange)) == json_text({"where": OSLO, "roots": FILES})


async def test_calls_of_one_session_are_asked_apart() -> None:
    server, session, one = calling("rounds", {"count": 1})
    params = {"name": "rounds", "arguments": {"count": 1}}
    other = opened(server, "tools/call", params, session=session, id=2)
    first, second = await next_of(one), await next_of(other)
    answer(server, session, second, BERGEN)
    assert text_of(await ended(other)) == "Bergen"
    answer(server, session, first, OSLO)
    assert text_of(await ended(one)) == "Oslo"


async def test_another_session_cannot_answer() -> None:
    server, session, exchange = calling("rounds", {"count": 1})
    asked = await next_of(exchange)
    intruder = session_of(LATEST_STATEFUL, capabilities=EVERYTHING)
    for other in (intruder, None):
        given = handed(server, Response(asked["id"], BERGEN, None), other)
        # Nor is anybody else told of it.
        assert given.unheard is None
    assert not exchange.ready
    answer(server, session, asked, OSLO)
    assert text_of(await ended(exchange)) == "Oslo"


async def test_an_answer_counts_once() -> None:
    server, session, exchange = calling("rounds", {"count": 2})
    asked = await next_of(exchange)
    answer(server, session, asked, OSLO)
    answer(server, session, asked, BERGEN)
    again = await next_of(exchange)
    assert again["id"] != asked["id"]
    answer(server, session, asked, BERGEN)
    assert not exchange.ready
    answer(server, session, again, BERGEN)
    assert text_of(await ended(exchange)) == "Oslo Bergen"


async def test_a_client_that_answers_with_an_error_has_refused() -> None:
    server, session, exchange = calling("one")
    answer(server, session, await next_of(exchange), None)
    assert failure_of(await ended(exchange)) == (
        "The client refused elicitation/create: No way."
    )


async def test_a_client_that_never_answers_is_not_waited_for() -> None:
    server, session, exchange = calling("both", answer_timeout_s=0.001)
    asked = [await next_of(exchange), await next_of(exchange)]
    *cancelled, response = await said(exchange)
    assert [(m["method"], m["params"]) for m in cancelled] == [
        ("notifications/cancelled", {"requestId": request["id"]}) for request in asked
    ]
    assert failure_of(response["result"]) == "The client did not answer within 0.001 s."
    for request in asked:
        late = Response(request["id"], OSLO, None)
        assert server.answers.put(session.id, late) is False


async def test_the_deadline_stands_still_while_the_client_is_asked() -> None:
    loop = asyncio.get_running_loop()
    shelf = Shelf()

    @shelf.tool(timeout_s=0.02)
    async def slow(ctx: Context) -> None:
        ctx.ask(it=FORM)
        await loop.create_future()

    server, session, exchange = calling("slow", shelf=shelf)
    asked = await next_of(exchange)
    long_after: asyncio.Future[None] = loop.create_future()
    loop.call_later(0.05, long_after.set_result, None)
    await long_after
    assert not exchange.ready
    answer(server, session, asked, OSLO)
    # And goes on with the tool.
    assert failure_of(await ended(exchange)) == (
        "The tool did not finish within 0.02 s and was stopped."
    )


async def test_a_cancelled_call_waits_for_no_answer() -> None:
    server, session, exchange = calling("one")
    asked = await next_of(exchange)
    notified(server, session, "notifications/cancelled", requestId=1)
    assert await said(exchange) == []
    late = Response(asked["id"], OSLO, None)
    assert server.answers.put(session.id, late) is False
    await end_of(exchange.call)
    assert len(server.calls) == 0


async def test_nobody_is_asked_in_vain() -> None:
    """What cannot be asked is found before anything is."""
    form = Elicit(
        "Which?",
        {
            "type": "object",
            "properties": {
                "all": {"type": "array", "items": {"type": "string", "enum": ["a"]}}
            },
        },
    )
    shelf = Shelf()

    @shelf.tool
    def impossible(ctx: Context) -> None:
        ctx.ask(first=FORM, second=form)

    @shelf.tool
    def unsayable(ctx: Context) -> None:
        sample = Sample("x", 1, options={"metadata": {"x": object()}})
        ctx.ask(first=FORM, second=sample)

    _, session, exchange = calling("impossible", shelf=shelf, revision=FORMS[0])
    (response,) = await said(exchange)
    assert failure_of(response["result"]) == (
        "The client's protocol cannot ask this: it cannot ask for several values at "
        "once ('all')."
    )
    _, session, exchange = calling("unsayable", shelf=shelf)
    (response,) = await said(exchange)
    assert failure_of(response["result"]).startswith("The tool failed (reference ")


async def test_one_name_for_two_questions_is_the_tools_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs = []
    shelf = Shelf()

    @shelf.tool
    def confused(ctx: Context) -> None:
        runs.append(1)
        ctx.ask(it=FORM)
        ctx.ask(it=ElicitUrl("Pay.", "https://x"))
        number = {"type": "object", "properties": {"city": {"type": "integer"}}}
        ctx.ask(it=Elicit("How many?", number))

    server, session, exchange = calling("confused", shelf=shelf)
    answer(server, session, await next_of(exchange), OSLO)
    assert failure_of(await ended(exchange)).startswith("The tool failed (reference ")
    assert len(runs) == 2
    assert "these names stand for two questions each" in caplog.text


@pytest.mark.parametrize("declared", [{}, {"elicitation": {"url": {}}}])
async def test_each_mode_is_declared_by_itself(declared: Json) -> None:
    server = serving(shelf_asking())
    session = session_of(LATEST_STATEFUL, capabilities=declared)
    exchange = opened(server, "tools/call", {"name": "one"}, session=session)
    words = failure_of(await ended(exchange))
    assert words.endswith("did not declare the capability elicitation.form.")


async def test_all_that_is_missing_is_named() -> None:
    server = serving(shelf_asking())
    params = {"name": "both"}
    exchange = opened(server, "tools/call", params, revision=LATEST_STATEFUL)
    words = failure_of(await ended(exchange))
    assert words.endswith("the capability elicitation.form and roots.")
