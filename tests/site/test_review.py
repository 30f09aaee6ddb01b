"""The long job: its progress, its findings, and that it stops when told to."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from mcp_transport import Caller, connect
from mcp_transport.protocol.revisions import LATEST, LATEST_STATEFUL
from mcpsite.catalogue import review
from mcpsite.documents import Library, Page
from mcpsite.proofreading import Finding

READER = Caller(subject="reader", scopes=frozenset({"*"}))
BOTH_ERAS = pytest.mark.parametrize("revision", [LATEST.name, LATEST_STATEFUL.name])
PAGES = ["readme", "fog-signal", "lamp"]


@BOTH_ERAS
async def test_progress_is_told_page_by_page(revision: str) -> None:
    async with connect(caller=READER, revision=revision) as client:
        result = await client.call_tool("review_docs", {}, progress_token="p")
        told = [params for _method, params in client.notifications]
    assert result["structuredContent"] == {"pages": PAGES, "findings": []}
    assert [(each["progress"], each["total"]) for each in told] == [
        (0, 3),
        (1, 3),
        (2, 3),
        (3, 3),
    ]
    assert {each["progressToken"] for each in told} == {"p"}


async def test_only_the_named_pages_are_checked_each_once() -> None:
    arguments = {"pages": ["lamp", "lamp"]}
    async with connect(caller=READER) as client:
        result = await client.call_tool("review_docs", arguments)
    assert result["structuredContent"]["pages"] == ["lamp"]


async def test_an_unknown_page_is_refused_before_any_work() -> None:
    async with connect(caller=READER) as client:
        result = await client.call_tool(
            "review_docs", {"pages": ["lamp", "gone"]}, progress_token=1
        )
        assert client.notifications == []
    assert result["isError"] is True
    assert "there is no such page" in result["content"][0]["text"]


@BOTH_ERAS
async def test_findings_are_returned_and_logged(
    revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_fault(_shelf: Library, page: Page) -> list[Finding]:
        return [Finding(page.name, 3, "link", "x.md: there is no such file")]

    monkeypatch.setattr(review, "proofread", one_fault)
    async with connect(caller=READER, revision=revision) as client:
        await client.set_log_level("warning")
        result = await client.call_tool("review_docs", {"pages": ["lamp"]})
        logged = [
            params
            for method, params in client.notifications
            if method == "notifications/message"
        ]
    assert result["structuredContent"]["findings"] == [
        {
            "page": "lamp",
            "line": 3,
            "fault": "link",
            "message": "x.md: there is no such file",
        }
    ]
    assert logged == [
        {
            "level": "warning",
            "logger": "review_docs",
            "data": "lamp:3 x.md: there is no such file",
        }
    ]


@BOTH_ERAS
async def test_a_cancelled_review_reads_no_further_page(
    revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    go_on = threading.Event()
    reading = asyncio.Event()

    def slowly(_shelf: Library, page: Page) -> list[Finding]:
        read.append(page.name)
        assert go_on.wait(30)
        return []

    def hear(_method: str, params: dict[str, Any]) -> None:
        reading.set()

    monkeypatch.setattr(review, "proofread", slowly)
    async with (
        asyncio.timeout(30),
        connect(caller=READER, revision=revision, notified=hear) as client,
    ):
        call = asyncio.create_task(
            client.call_tool("review_docs", {}, progress_token="p")
        )
        await reading.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await client.list_tools()  # behind the cancellation, so that it was read
        go_on.set()
    assert call.cancelled()
    assert read == ["readme"]
