"""What becomes of a page's calls when the line breaks, the server restarts, or the
credential is gone.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import (
    APPLICATION,
    BOUND_MS,
    BOUND_S,
    NO_SESSION,
    SESSION,
    Desk,
    Visitor,
    issue_ticket,
)
from tests.browser.line import Line
from tests.serving import Served, daphne

EACH_ERA = pytest.mark.parametrize(
    "revision", [SESSION, NO_SESSION], ids=["session", "no-session"]
)
UPTO = 60


def states(heard: list[dict[str, Any]]) -> list[str]:
    """The states in their order, each once however often it was told in a row."""
    names = [told["state"] for told in heard]
    return [n for i, n in enumerate(names) if i == 0 or names[i - 1] != n]


async def restock(served: Served, token: str) -> None:
    """Call the tool by another client, without a browser."""
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "restock", "arguments": {}},
    }
    headers = {"Authorization": f"Bearer {token}", "X-Session-ID": "another"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        answer = await client.post(served.url, json=message)
    assert answer.json()["result"]["content"][0]["text"] == "restocked"


async def counted(visitor: Visitor) -> None:
    """The call under way tells each number once, in its order, and its result."""
    came = await visitor.js("return await end('counting')")
    assert came["value"]["content"][0]["text"] == f"counted to {UPTO}"
    assert came["progress"] == list(range(1, UPTO + 1))


# A session resumes.


async def test_a_stream_that_is_cut_is_resumed_without_gap_or_double(
    visitor: Visitor, line: Line, token: str
) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **SESSION)
    count = {"upto": UPTO, "gap_ms": 50}
    await visitor.js("begin('counting', 'count', args[0])", count)
    for number in (3, 12, 25):
        await visitor.until("progressOf('counting').length >= args[0]", number)
        await line.cut()
    await counted(visitor)


async def test_it_is_cut_at_any_byte(visitor: Visitor, line: Line, token: str) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **SESSION)
    count = {"upto": UPTO, "gap_ms": 50}
    await visitor.js("begin('counting', 'count', args[0])", count)
    # A reply that breaks before its first event id leaves nothing to resume from.
    await visitor.until("progressOf('counting').length >= 1")
    line.limits = [400 + 97 * cut for cut in range(8)]
    await line.cut()
    await counted(visitor)
    assert len(line.limits) < 4


async def test_changes_that_happen_while_the_line_is_down_are_heard(
    visitor: Visitor, line: Line, steady: Served, token: str
) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **SESSION)
    await visitor.js("await client.subscribe('desk://stock')")
    updated = "heard.notifications.filter((it) => it.method.endsWith('/updated'))"
    await visitor.call("restock")
    await visitor.until(f"{updated}.length === 1")
    session = await visitor.js("return client.sessionId")
    line.is_down = True
    await line.cut()
    await visitor.until("heard.states.at(-1).state === 'reconnecting'")
    await restock(steady, token)
    line.is_down = False
    await visitor.until("heard.states.at(-1).state === 'open'")
    await visitor.until(f"{updated}.length === 2")
    assert await visitor.js("return client.sessionId") == session
    assert "renewed" not in str(await visitor.heard("states"))


async def test_a_question_survives_a_cut(
    visitor: Visitor, line: Line, token: str
) -> None:
    await visitor.js(
        """
        window.asked = 0;
        const [url, options] = args;
        window.client = await mcp.Client.connect(url, {
          ...options,
          onelicit: () => {
            asked += 1;
            return new Promise((resolve) => (window.answer = resolve));
          },
        });
        begin("ordering", "order", {});
        """,
        f"{line.origin}/mcp",
        {"token": token, **SESSION},
    )
    await visitor.until("asked === 1")
    await line.cut()
    await visitor.js("answer({ action: 'accept', content: { name: 'Ada' } })")
    came = await visitor.js("return await end('ordering')")
    assert came["value"]["content"][0]["text"] == "ordered for Ada"
    assert await visitor.js("return asked") == 1


async def test_a_call_that_the_browser_repeats_is_not_run_twice(
    visitor: Visitor, line: Line, token: str
) -> None:
    """Chromium sends a POST again by itself, where no reply had begun."""
    await visitor.connected(f"{line.origin}/mcp", token=token, **SESSION)
    await visitor.js("begin('noting', 'note_silently', { text: 'silently' })")
    await visitor.until_told("notes", "silently")
    await line.cut()
    came = await visitor.js("return await end('noting')")
    assert came["error"]["name"] == "ConnectionLostError"
    assert came["error"]["mayHaveRun"] is True
    assert (await visitor.call("notes")).count("silently") == 1
    await visitor.call("nudge", name="silently")


# What cannot be resumed.


async def test_without_a_session_a_call_that_may_have_run_is_not_sent_again(
    visitor: Visitor, line: Line, token: str
) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **NO_SESSION)
    await visitor.js("begin('noting', 'note', { text: 'once' })")
    await visitor.until("progressOf('noting').length === 1")
    await line.cut()
    came = await visitor.js("return await end('noting')")
    assert came["error"]["name"] == "ConnectionLostError"
    assert came["error"]["mayHaveRun"] is True
    assert (await visitor.call("notes")).count("once") == 1


async def test_one_that_does_no_harm_is_sent_again(
    visitor: Visitor, line: Line, token: str
) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **NO_SESSION)
    note = {"text": "twice"}
    await visitor.js("begin('noting', 'note', args[0], { idempotent: true })", note)
    await visitor.until("progressOf('noting').length === 1")
    await line.cut()
    came = await visitor.js("return await end('noting')")
    assert came["value"]["content"][0]["text"] == "noted twice"
    assert (await visitor.call("notes")).count("twice") == 2


@EACH_ERA
async def test_a_list_waits_until_the_server_is_back(
    visitor: Visitor, line: Line, token: str, revision: dict[str, Any]
) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **revision)
    line.is_down = True
    await line.cut()
    await visitor.js("window.listing = outcome(client.listTools())")
    line.turned_away.clear()
    async with asyncio.timeout(BOUND_MS / 1000):
        await line.turned_away.wait()
    line.is_down = False
    came = await visitor.js("return await listing")
    assert "add" in [tool["name"] for tool in came["value"]]


async def test_a_stream_of_changes_is_asked_for_again(
    visitor: Visitor, line: Line, token: str
) -> None:
    await visitor.connected(f"{line.origin}/mcp", token=token, **NO_SESSION)
    await visitor.js(
        """
        window.granted = 0;
        window.changes = [];
        await client.listen({ toolsListChanged: true }, {
          ongranted: () => (granted += 1),
          onchange: (method) => changes.push(method),
        });
        """
    )
    await line.cut()
    await visitor.until("granted === 2")
    await visitor.call("toggle")
    await visitor.until("changes.length === 1")
    await visitor.call("toggle")
    assert states(await visitor.heard("states")) == ["open", "reconnecting", "open"]


# Connections that are the session.


@pytest.mark.parametrize(
    "revision", [SESSION, NO_SESSION], ids=["session", "no-session"]
)
async def test_a_websocket_comes_back_with_another_ticket(
    visitor: Visitor, line: Line, steady: Served, token: str, revision: dict[str, Any]
) -> None:
    issued: list[str] = []

    async def issue() -> str:
        issued.append(await asyncio.to_thread(issue_ticket, steady, token))
        return issued[-1]

    await visitor.page.expose_function("issueTicket", issue)
    url = f"{line.origin}/ws"
    await visitor.connected(url, door="websocket", ticketed=True, **revision)
    updated = "heard.notifications.filter((it) => it.method.endsWith('/updated'))"
    await visitor.js("await client.subscribe('desk://stock')")
    await visitor.js("begin('waiting', 'wait', { name: 'by socket' })")
    await line.cut()
    came = await visitor.js("return await end('waiting')")
    assert came["error"]["name"] == "ConnectionLostError"
    await visitor.until("client.state === 'open'")
    assert "add" in await visitor.js(
        "return (await client.listTools()).map((it) => it.name)"
    )
    await visitor.until("heard.states.at(-1).renewed === true")
    await _until_updated(visitor, updated)
    assert len(issued) == len(set(issued)) >= 2


async def test_http_with_sse_begins_anew(
    visitor: Visitor, line: Line, token: str
) -> None:
    await visitor.connected(f"{line.origin}/sse", door="sse", token=token, **SESSION)
    await visitor.js("begin('waiting', 'wait', { name: 'by events' })")
    await line.cut()
    came = await visitor.js("return await end('waiting')")
    assert came["error"]["name"] == "ConnectionLostError"
    await visitor.until("heard.states.at(-1).renewed === true")
    assert await visitor.call("add", a=1, b=2) == "3"
    assert states(await visitor.heard("states")) == ["open", "reconnecting", "open"]


# The server restarts.


@pytest.mark.parametrize(
    ("door", "path", "revision"),
    [
        ("streamable-http", "/mcp", SESSION),
        ("sse", "/sse", SESSION),
        ("websocket", "/ws", SESSION),
        ("websocket", "/ws", NO_SESSION),
    ],
)
async def test_a_restart_is_got_over(
    visitor: Visitor,
    mortal: Served,
    token: str,
    door: str,
    path: str,
    revision: dict[str, Any],
) -> None:
    url = f"{mortal.origin}{path}"
    await visitor.connected(url, door=door, token=token, **revision)
    await asyncio.to_thread(mortal.restart)
    assert await visitor.call("add", a=1, b=2) == "3"
    await visitor.until("heard.states.at(-1).renewed === true")
    assert states(await visitor.heard("states")) == ["open", "reconnecting", "open"]


async def test_a_restart_is_not_noticed_without_a_session(
    visitor: Visitor, mortal: Served, token: str
) -> None:
    await visitor.connected(mortal.url, token=token, **NO_SESSION)
    await asyncio.to_thread(mortal.restart)
    assert await visitor.call("add", a=1, b=2) == "3"
    assert states(await visitor.heard("states")) == ["open"]


async def test_a_session_that_ended_is_made_anew_for_the_next_call(
    visitor: Visitor, steady: Served, token: str
) -> None:
    await visitor.connected(steady.url, token=token, **SESSION)
    first = await visitor.js("return client.sessionId")
    await visitor.js(
        """
        const [url, token] = args;
        const Authorization = `Bearer ${token}`;
        const headers = { Authorization, "Mcp-Session-Id": client.sessionId };
        await fetch(url, { method: "DELETE", headers });
        """,
        steady.url,
        token,
    )
    assert await visitor.call("add", a=1, b=2) == "3"
    assert await visitor.js("return client.sessionId") != first
    assert {"state": "open", "renewed": True} in await visitor.heard("states")


# Credentials.


@pytest.mark.parametrize(
    ("door", "path"), [("streamable-http", "/mcp"), ("sse", "/sse")]
)
async def test_a_wrong_token_is_told_with_the_challenge(
    visitor: Visitor, steady: Served, door: str, path: str
) -> None:
    wrong = "mcp_wrong"
    came = await visitor.connect(f"{steady.origin}{path}", door=door, token=wrong)
    assert (came["error"]["name"], came["error"]["status"]) == ("HttpError", 401)
    assert wrong not in str(came)


async def test_a_ticket_that_was_spent_opens_nothing(
    visitor: Visitor, steady: Served, token: str
) -> None:
    ticket = await asyncio.to_thread(issue_ticket, steady, token)
    await visitor.page.expose_function("issueTicket", lambda: ticket)
    url = f"{steady.origin}/ws"
    await visitor.connected(url, door="websocket", ticketed=True)
    came = await visitor.connect(url, door="websocket", ticketed=True)
    assert (came["error"]["name"], came["error"]["code"]) == ("SocketError", 4401)
    assert ticket not in str(came)


async def test_a_client_closes_when_its_ticket_cannot_be_had_anew(
    visitor: Visitor, line: Line, steady: Served, token: str
) -> None:
    ticket = await asyncio.to_thread(issue_ticket, steady, token)
    await visitor.page.expose_function("issueTicket", lambda: ticket)
    url = f"{line.origin}/ws"
    await visitor.connected(url, door="websocket", ticketed=True, **SESSION)
    await line.cut()
    await visitor.until("heard.states.at(-1).state === 'closed'")
    last = (await visitor.heard("states"))[-1]
    assert (last["error"]["name"], last["error"]["code"]) == ("SocketError", 4401)


@pytest.mark.parametrize(
    ("door", "path", "revision"),
    [
        ("streamable-http", "/mcp", SESSION),
        ("sse", "/sse", SESSION),
        ("websocket", "/ws", NO_SESSION),
    ],
)
async def test_a_client_closes_when_its_token_is_revoked(
    visitor: Visitor,
    steady: Served,
    desk: Desk,
    door: str,
    path: str,
    revision: dict[str, Any],
) -> None:
    token = await asyncio.to_thread(desk.token, "lost")
    url = f"{steady.origin}{path}"
    await visitor.connected(url, door=door, token=token, **revision)
    await asyncio.to_thread(desk.revoke, token)
    await visitor.until("heard.states.at(-1).state === 'closed'")
    error = (await visitor.heard("states"))[-1]["error"]
    assert error.get("status") == 401 or error.get("code") == 4401, error
    came = await visitor.js("return await outcome(client.listTools())")
    assert came["error"]["name"] == "ClosedError"


async def test_without_a_session_a_revoked_token_is_told_by_the_next_request(
    visitor: Visitor, steady: Served, desk: Desk
) -> None:
    token = await asyncio.to_thread(desk.token, "lost too")
    await visitor.connected(steady.url, token=token, **NO_SESSION)
    await asyncio.to_thread(desk.revoke, token)
    came: Any = {}
    async with asyncio.timeout(BOUND_S):
        while "error" not in came:
            came = await visitor.js("return await outcome(client.listTools())")
    assert (came["error"]["name"], came["error"]["status"]) == ("HttpError", 401)


async def test_a_token_that_is_refused_is_asked_for_once_more(
    visitor: Visitor, steady: Served, token: str
) -> None:
    asked = await visitor.js(
        """
        const [url, good] = args;
        const asked = [];
        const token = ({ refused }) => {
          asked.push(refused);
          return refused ? good : "mcp_stale";
        };
        const client = await mcp.Client.connect(url, { token });
        await client.close();
        return asked;
        """,
        steady.url,
        token,
    )
    assert asked == [False, True]


async def test_a_page_that_may_not_call_is_told_what_browsers_tell(
    visitor: Visitor, token: str, desk: Desk, tmp_path: Path
) -> None:
    environ = {**desk.environ, "DESK_PAGES": "https://elsewhere.example.com"}
    log = tmp_path / "other.log"
    with daphne(APPLICATION, log, environ=environ) as other:
        for door, path in (("streamable-http", "/mcp"), ("websocket", "/ws")):
            came = await visitor.connect(
                f"{other.origin}{path}", door=door, token=token
            )
            assert came["error"]["name"] == "ConnectionLostError"
            assert "this page" in came["error"]["message"]


async def _until_updated(visitor: Visitor, updated: str) -> None:
    """Restock until it is heard: the subscription may be under way yet."""
    async with asyncio.timeout(BOUND_S):
        while not await visitor.js(f"return {updated}.length"):
            await visitor.call("restock")
