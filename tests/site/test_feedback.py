"""The tool that asks the user, what it stores, and who may read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError

from mcp_transport import Caller, connect
from mcp_transport.protocol.errors import MISSING_CLIENT_CAPABILITY, ProtocolError
from mcp_transport.protocol.revisions import LATEST, REVISIONS
from mcpsite.models import Feedback

pytestmark = pytest.mark.django_db(transaction=True)

READER = Caller(subject="reader", scopes=frozenset({"*"}))
EDITOR = Caller(
    subject="editor",
    scopes=frozenset({"*"}),
    permissions=frozenset({"mcpsite.view_feedback"}),
)
ASKING = [
    name for name, rev in REVISIONS.items() if ("elicitation", "form") in rev.asks
]
SILENT = [name for name in REVISIONS if name not in ASKING]
Asked = list[dict[str, Any]]
Json = dict[str, Any]


def answering(asked: Asked, **answer: Any) -> Callable[[Json], Awaitable[Json]]:
    async def answer_it(params: Json) -> Json:
        asked.append(params)
        return answer

    return answer_it


@sync_to_async
def stored() -> list[tuple[str, int, str, str]]:
    rows = Feedback.objects.order_by("pk")
    return [(row.page, row.rating, row.comment, row.subject) for row in rows]


async def leave(revision: str, arguments: Json, **answer: Any) -> tuple[Json, Asked]:
    asked: Asked = []
    elicit = answering(asked, **answer)
    async with connect(caller=READER, revision=revision, elicit=elicit) as client:
        return await client.call_tool("leave_feedback", arguments), asked


@pytest.mark.parametrize("revision", ASKING)
async def test_the_users_answer_is_stored_once(revision: str) -> None:
    content = {"rating": 4, "comment": "  More on oil. "}
    result, asked = await leave(
        revision, {"page": "lamp"}, action="accept", content=content
    )
    assert result["structuredContent"] == {
        "stored": True,
        "message": "Stored: lamp, 4 of 5.",
    }
    assert await stored() == [("lamp", 4, "More on oil.", "reader")]
    (question,) = asked
    assert question["message"] == "How good is the page “The lamp”?"
    assert set(question["requestedSchema"]["properties"]) == {"rating", "comment"}


@pytest.mark.parametrize("revision", ASKING)
async def test_the_page_is_asked_for_where_it_was_not_given(revision: str) -> None:
    content = {"page": "fog-signal", "rating": 5}
    _result, asked = await leave(revision, {}, action="accept", content=content)
    assert await stored() == [("fog-signal", 5, "", "reader")]
    offered = asked[0]["requestedSchema"]["properties"]["page"]["enum"]
    assert offered == ["readme", "fog-signal", "lamp"]


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_nothing_is_stored_against_the_users_will(action: str) -> None:
    result, _asked = await leave(LATEST.name, {"page": "lamp"}, action=action)
    assert result["structuredContent"] == {
        "stored": False,
        "message": f"The user chose: {action}.",
    }
    assert await stored() == []


@pytest.mark.parametrize("revision", SILENT)
async def test_a_revision_that_cannot_ask_refuses_clearly(revision: str) -> None:
    result, asked = await leave(revision, {"page": "lamp"}, action="accept", content={})
    assert result["isError"] is True
    assert "elicitation" in result["content"][0]["text"]
    assert (asked, await stored()) == ([], [])


async def test_a_client_that_cannot_ask_is_told_what_it_lacks() -> None:
    async with connect(caller=READER) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.call_tool("leave_feedback", {"page": "lamp"})
    assert caught.value.code == MISSING_CLIENT_CAPABILITY


async def test_feedback_on_no_page_is_refused_before_anybody_is_asked() -> None:
    result, asked = await leave(LATEST.name, {"page": "gone"}, action="decline")
    assert result["isError"] is True
    assert "there is no such page" in result["content"][0]["text"]
    assert asked == []


@sync_to_async
def some_feedback() -> None:
    for page, rating in [("lamp", 5), ("lamp", 2), ("readme", 1)]:
        Feedback.objects.create(page=page, rating=rating, subject="someone")


async def report(**arguments: Any) -> Any:
    async with connect(caller=EDITOR) as client:
        result = await client.call_tool("list_feedback", arguments)
    return result["structuredContent"]


async def test_feedback_is_reported_newest_first() -> None:
    await some_feedback()
    found = await report()
    assert (found["total"], round(found["average"], 2)) == (3, 2.67)
    assert [each["page"] for each in found["newest"]] == ["readme", "lamp", "lamp"]
    assert "subject" not in found["newest"][0]


async def test_feedback_is_filtered() -> None:
    await some_feedback()
    disliked = await report(page="lamp", max_rating=2)
    assert (disliked["total"], disliked["average"]) == (1, 2.0)
    assert [each["rating"] for each in disliked["newest"]] == [2]
    limited = await report(limit=1)
    assert (limited["total"], len(limited["newest"])) == (3, 1)


async def test_no_feedback_has_no_average() -> None:
    assert await report() == {"total": 0, "average": None, "newest": []}


async def test_feedback_does_not_exist_for_who_may_not_view_it() -> None:
    async with connect(caller=READER) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.call_tool("list_feedback", {})
    assert "list_feedback" in caught.value.message


@pytest.mark.parametrize("rating", [0, 6])
async def test_the_database_refuses_what_the_form_would(rating: int) -> None:
    with pytest.raises(IntegrityError):
        await Feedback.objects.acreate(page="lamp", rating=rating, subject="x")
