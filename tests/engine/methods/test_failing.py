from __future__ import annotations

import asyncio

import pytest

from mcp_transport.engine.errors import InputRequired, ToolError
from mcp_transport.engine.methods.failing import failing_aloud, set_deadline
from mcp_transport.protocol.errors import INTERNAL_ERROR, ProtocolError
from tests.engine.exchanges import opened, serving


async def raised_for(error: BaseException, words: str | None = None) -> BaseException:
    """Return what comes out when ``error`` is raised inside."""
    server = serving(explain=lambda failure: words)
    exchange = opened(server, "tools/list")
    try:
        async with failing_aloud(exchange, "prompt x"):
            raise error
    except BaseException as found:
        return found
    raise AssertionError


async def test_the_peers_fault_stays_the_peers() -> None:
    error = ProtocolError(-1, "no")
    assert await raised_for(error) is error


@pytest.mark.parametrize("words", [None, "It is broken."])
async def test_an_unknown_exception_is_an_internal_error(
    words: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    found = await raised_for(ValueError("a secret"), words)
    assert isinstance(found, ProtocolError)
    assert found.code == INTERNAL_ERROR
    assert found.__suppress_context__
    if words is None:
        reference = found.message.removeprefix("Internal error (").removesuffix(")")
        assert f"prompt x failed, reference {reference}" in caplog.text
    else:
        assert found.message == words
        assert caplog.text == ""


async def test_words_for_a_reader_are_passed_on() -> None:
    found = await raised_for(ToolError("Closed."), "not asked for")
    assert isinstance(found, ProtocolError)
    assert (found.code, found.message) == (INTERNAL_ERROR, "Closed.")


@pytest.mark.parametrize("error", [asyncio.CancelledError(), InputRequired({}, {})])
async def test_what_is_no_failure_passes(error: BaseException) -> None:
    assert await raised_for(error) is error


async def test_a_deadline_is_the_servers() -> None:
    exchange = opened(serving(), "tools/list")
    set_deadline(exchange)
    assert exchange.call._timeout_s == exchange.server.limits.call_timeout_s
