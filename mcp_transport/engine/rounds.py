"""Where a tool that is written once meets the two eras.

A tool asks by ``Context.ask``. In a stateless revision the questions become an
``input_required`` result and the client calls again with the answers; in a
stateful one they become live requests to the client, and the tool is run again
here.

Spec: 2026-07-28 basic/patterns/mrtr; 2025-11-25 client/elicitation.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from mcp_transport.engine.context import Context
from mcp_transport.engine.errors import InputRequired, ToolError
from mcp_transport.engine.exchange import Exchange
from mcp_transport.protocol.errors import (
    MISSING_CLIENT_CAPABILITY,
    ProtocolError,
    invalid_params,
)
from mcp_transport.protocol.messages import Response, encode_request
from mcp_transport.protocol.questions import (
    Answer,
    BadAnswer,
    ElicitUrl,
    Question,
    as_capabilities,
)
from mcp_transport.protocol.sealed import request_digest, seal_state, unseal_state

Attempt = Callable[[Context], Awaitable[dict[str, Any]]]


def run(exchange: Exchange, attempt: Attempt) -> Awaitable[dict[str, Any]]:
    """Run ``attempt`` until it needs no more answers; return its result.

    Raises ProtocolError for a client that cannot or does not answer as it
    must, and ToolError where that is the tool's caller's to know.
    """
    if exchange.peer.revision.stateful:
        return _live(exchange, attempt)
    return _by_retry(exchange, attempt)


async def _by_retry(exchange: Exchange, attempt: Attempt) -> dict[str, Any]:
    """Answer with the questions; the client comes again with their answers."""
    kept, rounds = _kept(exchange)
    context = Context(exchange, {**kept, **_responses(exchange)})
    try:
        return await attempt(context)
    except (InputRequired, BaseExceptionGroup) as raised:
        questions, refused = _required(raised)
    if refused:
        raise invalid_params(
            "; ".join(f"inputResponses.{name}: {why}" for name, why in refused.items())
        )
    undeclared = _undeclared(exchange, questions)
    if undeclared:
        raise missing_capabilities(undeclared)
    if rounds >= exchange.server.limits.max_rounds:
        raise ToolError(f"Gave up after {rounds} rounds of questions.")
    return {
        "resultType": "input_required",
        "inputRequests": {
            name: {"method": question.method, "params": _params(exchange, question)}
            for name, question in questions.items()
        },
        "requestState": seal_state(
            exchange.server.signer,
            subject=exchange.caller.subject,
            method=exchange.method,
            digest=request_digest(exchange.method, exchange.params),
            answers={**kept, **context.answered},
            round=rounds + 1,
            expires_at_s=int(time.time() + exchange.server.limits.state_age_s),
        ),
    }


def _kept(exchange: Exchange) -> tuple[Mapping[str, Answer], int]:
    """Return the answers of earlier rounds, and how many rounds there were."""
    params = exchange.params
    if "requestState" not in params:
        return {}, 0
    state = unseal_state(
        exchange.server.signer,
        params["requestState"],
        subject=exchange.caller.subject,
        method=exchange.method,
        digest=request_digest(exchange.method, params),
        now_s=int(time.time()),
    )
    return state.answers, state.round


def _responses(exchange: Exchange) -> Mapping[str, Answer]:
    """Return the answers of this round; those to no question are not looked at."""
    responses = exchange.params.get("inputResponses", {})
    if type(responses) is not dict:
        raise invalid_params("inputResponses must be an object")
    return responses


def _undeclared(
    exchange: Exchange, questions: Mapping[str, Question]
) -> list[tuple[str, ...]]:
    """Return the capabilities that the client lacks for these questions."""
    return [
        question.capability
        for question in questions.values()
        if not exchange.peer.declares(question.capability)
    ]


def _required(
    raised: BaseException,
) -> tuple[dict[str, Question], dict[str, str]]:
    """Return what is asked; from within a TaskGroup it comes as a group.

    Raises what else the group holds: a failure is one with or without answers.
    """
    if isinstance(raised, InputRequired):
        return dict(raised.questions), dict(raised.refused)
    assert isinstance(raised, BaseExceptionGroup)
    asked, other = raised.split(InputRequired)
    if other is not None:
        raise other
    assert asked is not None
    questions: dict[str, Question] = {}
    refused: dict[str, str] = {}
    for one in asked.exceptions:
        more_questions, more_refused = _required(one)
        questions.update(more_questions)
        refused.update(more_refused)
    return questions, refused


async def _live(exchange: Exchange, attempt: Attempt) -> dict[str, Any]:
    """Ask the client on the call's own stream, and run the tool again here."""
    answers: dict[str, Answer] = {}
    for rounds in count():
        exchange.rewind()
        try:
            return await attempt(Context(exchange, answers))
        except (InputRequired, BaseExceptionGroup) as raised:
            questions, refused = _required(raised)
        if refused:
            raise ValueError(f"these names stand for two questions each: {refused}")
        if rounds >= exchange.server.limits.max_rounds:
            break
        exchange.call.pause()
        answers.update(await _answers(exchange, questions))
        exchange.call.resume()
    raise ToolError(f"Gave up after {rounds} rounds of questions.")


async def _answers(
    exchange: Exchange, questions: Mapping[str, Question]
) -> dict[str, Answer]:
    """Send the questions as requests of ours and wait for all the answers."""
    session, asking = exchange.session, exchange.server.answers
    assert session is not None
    undeclared = _undeclared(exchange, questions)
    if undeclared:
        raise ToolError(
            "This has to ask the client, which did not declare the capability "
            f"{_listed(undeclared)}."
        )
    ids = {name: asking.new_id(session.id) for name in questions}
    # All are written before any is sent, so that nobody is asked in vain.
    requests = [
        encode_request(ids[name], question.method, _params(exchange, question))
        for name, question in questions.items()
    ]
    expected = [asking.expect(session.id, id) for id in ids.values()]
    for request in requests:
        exchange.send(request)
    timeout_s = exchange.server.limits.answer_timeout_s
    try:
        async with asyncio.timeout(timeout_s):
            responses = await asyncio.gather(*expected)
    except TimeoutError:
        for id in ids.values():
            exchange.notify("notifications/cancelled", {"requestId": id})
        raise ToolError(f"The client did not answer within {timeout_s:g} s.") from None
    return {
        name: _checked(questions[name], response)
        for name, response in zip(questions, responses, strict=True)
    }


def _checked(question: Question, response: Response) -> Answer:
    if response.result is None:
        reason = str((response.error or {}).get("message"))[:200]
        raise ToolError(f"The client refused {question.method}: {reason}")
    try:
        question.check(response.result)
    except BadAnswer as error:
        raise ToolError(f"The client's answer cannot be used: {error}") from None
    return response.result


def _params(exchange: Exchange, question: Question) -> dict[str, Any]:
    """Return the params that ask ``question`` of this client."""
    revision = exchange.peer.revision
    try:
        params = question.params(revision)
    except ValueError as error:
        raise ToolError(f"The client's protocol cannot ask this: {error}.") from None
    if isinstance(question, ElicitUrl):
        # Only a revision that has the field keeps it.
        params["elicitationId"] = secrets.token_hex(16)
        return revision.prune("ElicitParams", params)
    return params


def missing_capabilities(undeclared: list[tuple[str, ...]]) -> ProtocolError:
    """Spec: 2026-07-28 basic/index #missing-required-client-capability."""
    return ProtocolError(
        MISSING_CLIENT_CAPABILITY,
        f"This needs the client capability {_listed(undeclared)}",
        {"requiredCapabilities": as_capabilities(undeclared)},
    )


def _listed(capabilities: list[tuple[str, ...]]) -> str:
    return " and ".join(sorted({".".join(path) for path in capabilities}))
