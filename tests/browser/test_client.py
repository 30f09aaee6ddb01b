"""What a page does with the client, over each door, at both servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from tests.browser.conftest import Visitor
from tests.serving import Served

# What a call waits for, unless told otherwise.
TIMEOUT_MS = 60_000
PATHS = {"streamable-http": "/mcp", "sse": "/sse", "websocket": "/ws"}


@dataclass(frozen=True)
class Way:
    """A door, and the revision that is asked for there."""

    door: str
    asked: str
    spoken: str

    async def connect(
        self, visitor: Visitor, served: Served, token: str, **options: Any
    ) -> Any:
        came = await visitor.connect(
            f"{served.origin}{PATHS[self.door]}",
            door=self.door,
            revision=self.asked,
            token=token,
            **options,
        )
        assert "error" not in came, came
        return came["value"]


WAYS = [
    Way("streamable-http", "auto", LATEST.name),
    Way("streamable-http", LATEST_STATEFUL.name, LATEST_STATEFUL.name),
    Way("sse", "auto", LATEST_STATEFUL.name),
    Way("websocket", "auto", LATEST.name),
    Way("websocket", LATEST_STATEFUL.name, LATEST_STATEFUL.name),
]
each_way = pytest.mark.parametrize(
    "way", WAYS, ids=[f"{way.door}-{way.spoken}" for way in WAYS]
)


@each_way
async def test_it_shakes_hands_and_lists(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    agreed = await way.connect(visitor, served, token)
    assert agreed["revision"] == way.spoken
    assert agreed["server"]["info"]["name"] == "desk"
    assert agreed["server"]["instructions"] == "Count before you order."
    names = await visitor.js("return (await client.listTools()).map((it) => it.name)")
    assert {"add", "count", "stock_of"} <= set(names)
    lists = await visitor.js(
        """
        const [resource] = await client.listResources();
        const [template] = await client.listResourceTemplates();
        const [prompt] = await client.listPrompts();
        return [resource.uri, template.uriTemplate, prompt.name];
        """
    )
    assert lists == ["desk://stock", "desk://drawers/{number}", "letter"]
    assert await visitor.heard("states") == [{"state": "open"}]


@each_way
async def test_it_calls_reads_prompts_and_completes(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    assert await visitor.call("add", a=2, b=3) == "5"
    assert await visitor.call("stock_of", region="Zürich ") == "the stock of Zürich "
    said = await visitor.js(
        """
        const failed = await client.callTool("fail");
        const { contents } = await client.readResource("desk://drawers/4");
        const { messages } = await client.getPrompt("letter", { customer: "Ada" });
        const ref = { type: "ref/prompt", name: "letter" };
        const { values } = await client.complete(ref, { name: "tone", value: "f" });
        await client.ping();
        return [failed.isError, contents[0].text, messages[0].content.text, values];
        """
    )
    assert said == [
        True,
        '{"number":4}',
        "Write a kind letter to Ada.",
        ["firm", "funny"],
    ]


@each_way
async def test_an_error_of_the_server_is_one_with_its_code(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    came = await visitor.js("return await outcome(client.callTool('nothing'))")
    assert (came["error"]["name"], came["error"]["code"]) == ("McpError", -32602)
    came = await visitor.js("return await outcome(client.request('no/such'))")
    assert (came["error"]["name"], came["error"]["code"]) == ("McpError", -32601)


@each_way
async def test_progress_and_log_messages_reach_the_call(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    await visitor.js("await client.setLogLevel('info')")
    seen = await visitor.js(
        """
        const progress = [], logs = [];
        const result = await client.callTool("count", { upto: 5, gap_ms: 5 }, {
          onprogress: (at) => progress.push(at),
          onlog: ({ data }) => logs.push(data.number),
        });
        return { progress, logs, text: result.content[0].text };
        """
    )
    assert seen["text"] == "counted to 5"
    assert [at["progress"] for at in seen["progress"]] == [1, 2, 3, 4, 5]
    assert seen["progress"][0] == {"progress": 1, "total": 5, "message": "number 1"}
    assert seen["logs"] == [1, 2, 3, 4, 5]
    assert [said["data"]["number"] for said in await visitor.heard("logs")] == [
        1,
        2,
        3,
        4,
        5,
    ]


@each_way
async def test_a_question_is_answered(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    answer = {"action": "accept", "content": {"name": "Ada"}}
    await way.connect(visitor, served, token, answer=answer)
    assert await visitor.call("order") == "ordered for Ada"


@each_way
async def test_what_else_a_server_asks_is_answered(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    roots = [{"uri": "file:///home/ada", "name": "home"}]
    await way.connect(visitor, served, token, line="Tea!", roots=roots)
    assert await visitor.call("slogan", subject="tea") == "Tea! in home"
    # It declares no more than it answers, and so is asked nothing else.
    came = await visitor.js("return await outcome(client.callTool('order'))")
    lacking = came.get("error", {}).get("code") == -32021
    assert lacking or came["value"]["isError"] is True


@each_way
async def test_a_call_that_came_too_soon_is_made_again(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    said = await visitor.js(
        """
        const calls = [1, 2, 3].map(() => client.callTool("seldom"));
        return (await Promise.all(calls)).map(({ content }) => content[0].text);
        """
    )
    assert said == ["called", "called", "called"]
    refused = [it for it in await visitor.heard("wire") if "error" in it["message"]]
    assert {it["message"]["error"]["code"] for it in refused} == {429}


@each_way
async def test_a_user_may_take_longer_over_a_question_than_a_call_may(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await visitor.page.clock.install()
    await visitor.js(
        """
        const [url, door, revision, token] = args;
        const onelicit = () => new Promise((resolve) => (window.answer = resolve));
        const options = { door, revision, token, onelicit };
        window.client = await mcp.Client.connect(url, options);
        begin("ordering", "order", {});
        """,
        f"{served.origin}{PATHS[way.door]}",
        way.door,
        way.asked,
        token,
    )
    await visitor.until("window.answer")
    await visitor.page.clock.fast_forward(2 * TIMEOUT_MS)
    await visitor.js("answer({ action: 'decline' })")
    came = await visitor.js("return await end('ordering')")
    assert came["value"]["content"][0]["text"] == "no order"


@each_way
async def test_a_call_that_is_given_up_is_cancelled_at_the_server(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    name = f"aborted-{served.port}-{way.door}-{way.spoken}"
    await visitor.js("begin('waiting', 'wait', { name: args[0] })", name)
    await visitor.until_told("notes", name)
    await visitor.js("abort('waiting', new Error('enough'))")
    assert (await visitor.js("return await end('waiting')"))["error"]["message"] == (
        "enough"
    )
    await visitor.until_told("given_up", name)


@each_way
async def test_a_call_times_out_unless_it_reports(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await visitor.page.clock.install()
    await way.connect(visitor, served, token)
    name = f"late-{served.port}-{way.door}-{way.spoken}"
    strive = {"name": name, "times": 3}
    await visitor.js("begin('striving', 'strive', args[0])", strive)
    await visitor.js("begin('waiting', 'wait', { name: args[0] })", name)
    await visitor.until_told("notes", name)
    for number in (1, 2, 3):
        await visitor.page.clock.fast_forward(TIMEOUT_MS * 6 // 10)
        await visitor.call("nudge", name=name)
        await visitor.until("progressOf('striving').length === args[0]", number)
    assert (await visitor.js("return await end('waiting')"))["error"]["name"] == (
        "TimeoutError"
    )
    strove = await visitor.js("return await end('striving')")
    assert strove["value"]["content"][0]["text"] == "done after 3"
    await visitor.until_told("given_up", name)


@each_way
async def test_changes_are_heard(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["desk://stock"]}
    await way.connect(visitor, served, token)
    await visitor.js(
        """
        window.changes = [];
        window.granted = [];
        window.listening = await client.listen(args[0], {
          onchange: (method, params) => changes.push([method, params.uri]),
          ongranted: (what) => granted.push(what),
        });
        """,
        wanted,
    )
    assert await visitor.js("return granted") == [wanted]
    await visitor.call("toggle")
    await visitor.call("restock")
    await visitor.until("changes.length >= 2")
    await visitor.call("toggle")
    await visitor.until("changes.length >= 3")
    lists = ["notifications/tools/list_changed", None]
    resource = ["notifications/resources/updated", "desk://stock"]
    changes = await visitor.js("return changes")
    assert (changes.count(lists), changes.count(resource)) == (2, 1)
    await visitor.js("await listening.close()")


@each_way
async def test_a_resource_can_be_subscribed_to(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    updated = "heard.notifications.filter((it) => it.method.endsWith('/updated'))"
    await visitor.js("await client.subscribe('desk://stock')")
    await visitor.call("restock")
    await visitor.until(f"{updated}.length === 1")
    await visitor.js("await client.unsubscribe('desk://stock')")
    await visitor.call("restock")
    await visitor.call("add", a=1, b=1)
    assert len(await visitor.js(f"return {updated}")) == 1


@each_way
async def test_what_is_closed_is_closed(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    await visitor.js("begin('waiting', 'wait', { name: 'until closed' })")
    await visitor.js("await client.close(); await client.close()")
    came = await visitor.js("return await end('waiting')")
    assert came["error"]["name"] == "ClosedError"
    came = await visitor.js("return await outcome(client.listTools())")
    assert came["error"]["name"] == "ClosedError"
    assert (await visitor.heard("states"))[-1] == {"state": "closed"}


@each_way
async def test_the_wire_is_shown_without_the_token(
    visitor: Visitor, served: Served, token: str, way: Way
) -> None:
    await way.connect(visitor, served, token)
    await visitor.call("add", a=2, b=3)
    wire = await visitor.heard("wire")
    sent = next(it for it in wire if it["message"].get("method") == "tools/call")
    received = next(
        it
        for it in wire
        if it["direction"] == "received"
        and it["message"].get("id") == sent["message"]["id"]
    )
    assert sent["direction"] == "sent"
    assert sent["message"]["params"]["arguments"] == {"a": 2, "b": 3}
    assert "result" in received["message"]
    assert token not in str(wire)
    if way.door != "websocket":
        assert sent["meta"]["http"]["headers"]["Authorization"] == "…"
