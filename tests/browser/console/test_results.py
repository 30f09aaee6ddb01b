"""What servers send, shown: never as markup, and whatever it is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.console.conftest import Console

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
EVIL = "<img src=x onerror='window.hurt = true'><script>window.hurt = true</script>"


async def show(parts: Console, what: str, value: Any) -> Locator:
    """Put what a function of result.js makes of a value on the page."""
    await parts.js(
        """
        const results = await load("result.js");
        window.asked = [];
        const actions = { openResource: (uri) => window.asked.push(uri) };
        document.body.replaceChildren(results[args[0]](args[1], actions));
        """,
        what,
        value,
    )
    return parts.page.locator("body")


def tool_result(*content: Any, **more: Any) -> dict[str, Any]:
    return {"content": list(content), **more}


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("toolResult", tool_result({"type": "text", "text": EVIL})),
        ("toolResult", tool_result({"type": EVIL})),
        ("toolResult", tool_result(structuredContent={EVIL: [EVIL]})),
        (
            "toolResult",
            tool_result(
                {
                    "type": "resource_link",
                    "uri": "javascript:alert(1)",
                    "name": EVIL,
                    "description": EVIL,
                    "mimeType": EVIL,
                }
            ),
        ),
        ("resourceResult", {"contents": [{"uri": EVIL, "text": EVIL}]}),
        ("promptResult", {"messages": [{"role": EVIL, "content": [EVIL]}]}),
        ("failure", {"name": EVIL, "message": EVIL, "code": -1, "data": EVIL}),
    ],
)
async def test_markup_is_text(parts: Console, what: str, value: Any) -> None:
    body = await show(parts, what, value)
    await expect(body).to_contain_text(EVIL)
    assert await body.locator("img, script, a").count() == 0
    assert await parts.js("return window.hurt === undefined")


async def test_a_failure_says_that_it_is_one(parts: Console) -> None:
    said = {"type": "text", "text": "no cake"}
    body = await show(parts, "toolResult", tool_result(said, isError=True))
    await expect(body.get_by_role("alert")).to_have_text(
        "The tool says that it failed."
    )
    await expect(body).to_contain_text("no cake")


async def test_pictures_and_sounds_are_shown_if_they_are_such(parts: Console) -> None:
    body = await show(
        parts,
        "toolResult",
        tool_result(
            {"type": "image", "data": PIXEL, "mimeType": "image/png"},
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},
            {"type": "image", "data": PIXEL, "mimeType": "text/html"},
            {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"},
            {"type": "audio", "data": "AAAA"},
        ),
    )
    await expect(body.get_by_role("img", name="A picture (image/png)")).to_have_count(1)
    await expect(body.locator("audio")).to_have_count(1)
    await expect(body.get_by_text("This cannot be shown (image/png).")).to_be_visible()
    await expect(body.get_by_text("This cannot be shown (text/html).")).to_be_visible()
    await expect(body.get_by_text("(of no stated kind)")).to_be_visible()


async def test_links_go_to_the_web_alone_and_resources_are_read_here(
    parts: Console,
) -> None:
    body = await show(
        parts,
        "toolResult",
        tool_result(
            *(
                {"type": "resource_link", "uri": uri, "name": "n"}
                for uri in ("https://a.example/b", "desk://stock", "file:///etc/passwd")
            )
        ),
    )
    links = body.get_by_role("link")
    await expect(links).to_have_count(1)
    await expect(links).to_have_attribute("href", "https://a.example/b")
    await expect(links).to_have_attribute("rel", "noopener noreferrer")
    await body.get_by_role("button", name="Read it").nth(1).click()
    assert await parts.js("return window.asked") == ["desk://stock"]


async def test_data_that_is_repeated_as_text_is_shown_once(parts: Console) -> None:
    text = {"type": "text", "text": '{"a": 1}'}
    body = await show(
        parts, "toolResult", tool_result(text, structuredContent={"a": 1})
    )
    await expect(body.locator(".mcp-tree")).to_have_count(1)
    await expect(body.locator(".mcp-text")).to_have_count(0)


async def test_bytes_can_be_saved(parts: Console) -> None:
    contents = {"uri": "desk://files/../a b.bin", "blob": "AAEC", "mimeType": "a/b"}
    body = await show(parts, "resourceResult", {"contents": [contents]})
    async with parts.page.expect_download() as saving:
        await body.get_by_role("button", name="Save a_b.bin").click()
    saved = await saving.value
    assert saved.suggested_filename == "a_b.bin"
    assert (await saved.path()).read_bytes() == b"\x00\x01\x02"
    contents["blob"] = "?"
    body = await show(parts, "resourceResult", {"contents": [contents]})
    await body.get_by_role("button", name="Save a_b.bin").click()
    await expect(body).to_contain_text("What came is not base64.")


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [
        ("toolResult", {}, "The result is empty."),
        ("resourceResult", {}, "The resource is empty."),
        ("promptResult", {}, "There are no messages."),
        ("resourceResult", {"contents": [{"uri": "a:b"}]}, "Neither text nor bytes"),
    ],
)
async def test_nothing_is_said_to_be_nothing(
    parts: Console, what: str, value: Any, said: str
) -> None:
    await expect(await show(parts, what, value)).to_contain_text(said)


async def test_a_large_tree_grows_as_it_is_looked_at(parts: Console) -> None:
    await parts.js(
        """
        const { jsonTree } = await load("jsontree.js");
        const value = { all: Array.from({ length: 250 }, (_, at) => ({ at })) };
        document.body.replaceChildren(jsonTree(value, 2));
        """
    )
    branches = parts.page.locator(".mcp-branch .mcp-branch > details")
    await expect(branches).to_have_count(100)
    await parts.page.get_by_role("button", name="150 more").click()
    await parts.page.get_by_role("button", name="50 more").click()
    await expect(branches).to_have_count(250)
    assert await parts.page.get_by_text("at: 249").count() == 0
    await branches.last.locator("summary").click()
    await expect(parts.page.get_by_text("at: 249")).to_be_visible()


async def test_the_wire_is_bounded_filtered_and_paired(parts: Console) -> None:
    await parts.js(
        """
        const { WireLog } = await load("wirelog.js");
        const log = (window.log = new WireLog());
        document.body.replaceChildren(log.element);
        const meta = (at) => ({ door: "websocket", at });
        for (let id = 0; id < 300; id++) {
          log.add("sent", { jsonrpc: "2.0", id, method: "ping" }, meta(1000));
          log.add("received", { jsonrpc: "2.0", id, result: {} }, meta(1007));
        }
        log.add("received", { jsonrpc: "2.0", id: "0", method: "roots/list" }, meta(1));
        log.add("sent", { jsonrpc: "2.0", id: "0", error: { code: 1 } }, meta(4));
        """
    )
    rows = parts.page.locator(".mcp-wire > li")
    await expect(rows).to_have_count(500)
    await expect(parts.page.locator(".mcp-count")).to_have_text(
        "500, 102 older dropped"
    )
    await expect(rows.nth(1)).to_contain_text("result of ping, 7 ms")
    await expect(rows.last).to_contain_text("error of roots/list, 3 ms")
    await parts.page.get_by_label("Filter the messages").fill("roots/list")
    await expect(parts.page.locator(".mcp-wire > li:visible")).to_have_count(2)
    await parts.page.get_by_label("Direction").select_option("sent")
    await expect(parts.page.locator(".mcp-wire > li:visible")).to_have_count(1)
    await parts.page.get_by_role("button", name="Clear").click()
    await expect(rows).to_have_count(0)


@pytest.mark.parametrize(
    ("template", "expanded"),
    [
        ("desk://{name}", "desk://a%2Fb%20%C3%A9"),
        ("desk://{+name}", "desk://a/b%20%C3%A9"),
        ("desk://x{#name}", "desk://x#a/b%20%C3%A9"),
        ("desk://x{?name,none}", "desk://x?name=a%2Fb%20%C3%A9"),
        ("desk://x?y{&name}", "desk://x?y&name=a%2Fb%20%C3%A9"),
        ("desk:/{/short:1,name}", "desk://a/a%2Fb%20%C3%A9"),
        ("desk://x{;empty}{.short}", "desk://x;empty.abc"),
        ("desk://{none}", "desk://"),
    ],
)
async def test_templates_become_addresses(
    parts: Console, template: str, expanded: str
) -> None:
    values = {"name": "a/b é", "short": "abc", "empty": ""}
    program = """
        const { expanded } = await load("uritemplate.js");
        return expanded(args[0], args[1]);
    """
    assert await parts.js(program, template, values) == expanded


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://pay.example/a?b=c", "pay.example"),
        ("https://bank.example@evil.example/x", "evil.example"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
    ],
)
async def test_a_page_is_opened_only_if_it_is_one_of_the_web(
    parts: Console, url: str, host: str | None
) -> None:
    await parts.js(
        """
        const { askUser } = await load("questions.js");
        document.body.replaceChildren();
        window.opened = [];
        window.open = (...how) => { window.opened.push(how); };
        const { signal } = new AbortController();
        const params = { mode: "url", message: "Pay", url: args[0] };
        window.answered = askUser(params, { signal });
        """,
        url,
    )
    dialog = parts.page.get_by_role("dialog")
    await expect(dialog.locator("pre")).to_contain_text(url)
    if host is None:
        await expect(dialog.get_by_role("button", name="Open the page")).to_have_count(
            0
        )
        await dialog.get_by_role("button", name="Decline").click()
    else:
        await expect(dialog.locator(".mcp-host")).to_have_text(host)
        await dialog.get_by_role("button", name="Open the page").click()
    answer, opened = await parts.js("return [await window.answered, window.opened]")
    assert answer == {"action": "decline" if host is None else "accept"}
    expected = [] if host is None else [[url, "_blank", "noopener,noreferrer"]]
    assert opened == expected


async def test_questions_wait_for_their_turn_and_may_be_withdrawn(
    parts: Console,
) -> None:
    await parts.js(
        """
        const { askUser, askForMessage } = await load("questions.js");
        document.body.replaceChildren();
        const first = (window.first = new AbortController());
        const second = new AbortController();
        const content = { type: "text", text: "Praise tea" };
        window.answers = Promise.all([
          askUser({ message: "One" }, first),
          askForMessage({ messages: [{ role: "user", content }] }, second),
        ]);
        """
    )
    dialog = parts.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("One")
    await expect(dialog).to_have_count(1)
    await parts.js("window.first.abort()")
    await expect(dialog).to_contain_text("Praise tea")
    await dialog.get_by_label("The model’s message").fill("Tea!")
    await dialog.get_by_role("button", name="Send message").click()
    cancelled, written = await parts.js("return await window.answers")
    assert cancelled == {"action": "cancel"}
    assert (written["role"], written["content"]["text"]) == ("assistant", "Tea!")
