"""What the site serves, through a client, at the oldest and the newest revision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_transport import Caller, connect
from mcp_transport.protocol.errors import INVALID_PARAMS, ProtocolError
from mcp_transport.protocol.revisions import REVISIONS
from mcpsite.documents import library

READER = Caller(subject="reader", scopes=frozenset({"*"}))
EDITOR = Caller(
    subject="editor",
    scopes=frozenset({"*"}),
    permissions=frozenset({"mcpsite.view_feedback"}),
)
ALL = pytest.mark.parametrize("revision", list(REVISIONS))


def structured(result: dict[str, Any]) -> Any:
    assert not result.get("isError"), result
    (block,) = result["content"]
    assert json.loads(block["text"]) == result["structuredContent"]
    return result["structuredContent"]


def refused(result: dict[str, Any]) -> str:
    assert result["isError"] is True
    (block,) = result["content"]
    return str(block["text"])


@ALL
async def test_the_site_lists_its_entries(revision: str) -> None:
    async with connect(caller=READER, revision=revision) as client:
        tools = {tool["name"]: tool for tool in await client.list_tools()}
        resources = await client.list_resources()
        templates = await client.list_resource_templates()
        prompts = {prompt["name"] for prompt in await client.list_prompts()}
    assert {
        "find_features",
        "leave_feedback",
        "read_doc",
        "review_docs",
        "search_docs",
    } <= set(tools)
    assert "list_feedback" not in tools
    assert [tool["name"] for tool in tools.values() if not tool["description"]] == []
    assert {
        "docs://readme": "readme",
        "docs://lamp": "lamp",
        "docs://fog-signal": "fog-signal",
    }.items() <= {each["uri"]: each["name"] for each in resources}.items()
    assert {each["uriTemplate"] for each in templates} >= {
        "docs://{page}",
        "docs://{page}/{section}",
    }
    assert {"integrate", "explain"} <= prompts


async def test_tools_say_what_they_do() -> None:
    async with connect(caller=EDITOR) as client:
        tools = {tool["name"]: tool for tool in await client.list_tools()}
    for name in ("search_docs", "read_doc", "find_features", "list_feedback"):
        assert tools[name]["annotations"]["readOnlyHint"] is True
        assert tools[name]["outputSchema"]["type"] == "object"
    leaving = tools["leave_feedback"]["annotations"]
    assert (leaving["readOnlyHint"], leaving["destructiveHint"]) == (False, False)
    search = tools["search_docs"]["inputSchema"]["properties"]
    assert search["query"]["maxLength"] == 400
    assert (search["limit"]["minimum"], search["limit"]["maximum"]) == (1, 20)
    assert tools["read_doc"]["inputSchema"]["properties"]["page"]["enum"] == [
        *library().pages
    ]
    assert search["limit"]["description"] == "how many sections to return at most."


async def test_search_gives_ranked_hits_in_structure() -> None:
    async with connect(caller=READER) as client:
        found = await client.call_tool("search_docs", {"query": "wick", "limit": 2})
    result = structured(found)
    assert result["query"] == "wick"
    assert len(result["hits"]) == 2
    assert [hit["page"] for hit in result["hits"]] == ["lamp", "lamp"]
    assert result["hits"][0]["score"] > result["hits"][1]["score"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"query": ""},
        {"query": "x" * 401},
        {"query": 5},
        {"query": "x", "limit": 0},
        {"query": "x", "limit": 21},
        {"query": "x", "limt": 3},
    ],
)
async def test_search_refuses_arguments_that_do_not_fit(arguments: Any) -> None:
    async with connect(caller=READER) as client:
        assert refused(await client.call_tool("search_docs", arguments))


async def test_a_page_and_a_section_can_be_read_by_a_tool() -> None:
    async with connect(caller=READER) as client:
        whole = structured(await client.call_tool("read_doc", {"page": "lamp"}))
        part = structured(
            await client.call_tool("read_doc", {"page": "lamp", "section": "costs"})
        )
    assert whole["text"] == library().pages["lamp"].text
    assert whole["sections"] == list(library().pages["lamp"].anchors)
    assert part["uri"] == "docs://lamp/costs"
    assert part["text"] == "## Costs\n\nOil is paid for by the month."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"page": "gone"},
            "Invalid arguments:\n- page: there is no such page; the pages are "
            'readme, fog-signal, lamp, got "gone"',
        ),
        (
            {"page": "fog-signal", "section": "gone"},
            "fog-signal has no section 'gone'. Sections: the-fog-signal, horn, costs.",
        ),
    ],
)
async def test_what_is_not_there_is_said_with_what_is(
    arguments: Any, message: str
) -> None:
    async with connect(caller=READER) as client:
        assert refused(await client.call_tool("read_doc", arguments)) == message


@ALL
async def test_documents_are_read_as_resources(revision: str) -> None:
    pages = library().pages
    async with connect(caller=READER, revision=revision) as client:
        for uri, text in [
            ("docs://lamp", pages["lamp"].text),
            ("docs://readme", pages["readme"].text),
            ("docs://lamp/costs", pages["lamp"].part("costs")),
        ]:
            (contents,) = (await client.read_resource(uri))["contents"]
            assert contents == {"uri": uri, "mimeType": "text/markdown", "text": text}


@ALL
@pytest.mark.parametrize(
    "uri", ["docs://gone", "docs://lamp/gone", "docs://gone/costs", "docs://..%2Fx"]
)
async def test_a_document_that_is_not_there_is_not_found(
    revision: str, uri: str
) -> None:
    async with connect(caller=READER, revision=revision) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.read_resource(uri)
    assert caught.value.code == REVISIONS[revision].resource_not_found
    assert caught.value.data == {"uri": uri}


@pytest.mark.parametrize(
    ("ref", "name", "typed", "given", "values"),
    [
        ("docs://{page}", "page", "f", None, ["fog-signal"]),
        ("docs://{page}/{section}", "page", "la", None, ["lamp"]),
        (
            "docs://{page}/{section}",
            "section",
            "WICK",
            {"page": "lamp"},
            ["trim-the-wick-lamptrim", "short-wicks", "long-wicks"],
        ),
        (
            "docs://{page}/{section}",
            "section",
            "cost",
            {"page": "fog-signal"},
            ["costs"],
        ),
        ("docs://{page}/{section}", "section", "wick", {"page": "readme"}, []),
        ("docs://{page}/{section}", "section", "cost", None, ["costs"]),
    ],
)
async def test_documents_are_completed(
    ref: str, name: str, typed: str, given: Any, values: list[str]
) -> None:
    reference = {"type": "ref/resource", "uri": ref}
    async with connect(caller=READER) as client:
        found = await client.complete(reference, name, typed, given)
    assert found["completion"]["values"] == values


@pytest.mark.parametrize(
    ("prompt", "name", "typed", "values"),
    [
        ("explain", "page", "lamp", ["lamp"]),
        ("explain", "reader", "a", ["administrator"]),
        ("integrate", "project", "wsg", ["wsgi"]),
        ("integrate", "mount", "le", ["lean"]),
    ],
)
async def test_prompts_are_completed(
    prompt: str, name: str, typed: str, values: list[str]
) -> None:
    reference = {"type": "ref/prompt", "name": prompt}
    async with connect(caller=READER) as client:
        found = await client.complete(reference, name, typed)
    assert found["completion"]["values"] == values


@ALL
async def test_explain_brings_the_page(revision: str) -> None:
    async with connect(caller=READER, revision=revision) as client:
        got = await client.get_prompt("explain", {"page": "lamp"})
    task, page = (message["content"] for message in got["messages"])
    assert "“The lamp”" in task["text"]
    assert "developer" in task["text"]
    assert page["resource"]["text"] == library().pages["lamp"].text


async def test_integrate_names_the_project_and_the_mount() -> None:
    arguments = {"project": "wsgi", "mount": "urls"}
    async with connect(caller=READER) as client:
        got = await client.get_prompt("integrate", arguments)
    assert "served under WSGI" in got["messages"][0]["content"]["text"]
    assert 'include("mcp_transport.urls")' in got["messages"][0]["content"]["text"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("integrate", {"project": "rails"}),
        ("integrate", {"mount": "cgi"}),
        ("explain", {}),
        ("explain", {"page": "gone"}),
        ("explain", {"page": "lamp", "reader": "cat"}),
    ],
)
async def test_a_prompt_refuses_arguments_that_it_does_not_know(
    name: str, arguments: Any
) -> None:
    async with connect(caller=READER) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.get_prompt(name, arguments)
    assert caught.value.code == INVALID_PARAMS
