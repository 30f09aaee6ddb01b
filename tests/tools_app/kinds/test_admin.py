"""The five kinds, as an administrator meets them on the pages of the admin."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client

from mcp_transport import connect
from mcp_transport.protocol.errors import ProtocolError
from tests.tools_app.catalogue.conftest import rows, served, shelf
from tests.tools_app.kinds.making import caller
from tests.tools_app.kinds.page import Page
from tests.tools_app.pages import staff, words
from tools_app.models import CatalogueEntry

__all__ = ["rows", "served", "shelf"]

LIST = "/admin/tools_app/catalogueentry/"
PREVIEW = f"{LIST}preview/"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rows", "root"),
]

GREETING = {
    "key": "greet",
    "spec-messages-0-role": "user",
    "spec-messages-0-text": "Greet {{ name }}{% if tone %}, {{ tone }}{% endif %}.\n",
    "spec-arguments-0-name": "name",
    "spec-arguments-0-required": "on",
    "spec-arguments-1-name": "tone",
    "spec-arguments-1-values": "kindly\nin a <hurry>",
}


def page(client: Client, path: str) -> QueryDict:
    response = client.get(path)
    assert response.status_code == 200
    return Page(response.content.decode()).sent


def add(client: Client, source: str, **values: Any) -> Any:
    path = f"{LIST}add/?source={source}"
    sent = page(client, path)
    sent.update(values)
    return client.post(path, sent.dict())


def errors(response: Any) -> dict[str, Any]:
    assert response.status_code == 200
    found: dict[str, Any] = response.context["adminform"].form.errors
    return found


async def test_a_prompt_is_made_and_a_client_uses_it(client: Client) -> None:
    response = await sync_to_async(add)(client, "prompt", **GREETING)
    assert response.status_code == 302, errors(response)
    async with connect() as mcp:
        got = await mcp.get_prompt("greet", {"name": "Ada", "tone": "kindly"})
        ref = {"type": "ref/prompt", "name": "greet"}
        found = await mcp.complete(ref, "tone", "hur")
    assert got["messages"][0]["content"]["text"] == "Greet Ada, kindly."
    assert found["completion"]["values"] == ["in a <hurry>"]


def test_what_was_made_is_shown_and_saved_again_as_it_is(client: Client) -> None:
    add(client, "prompt", **GREETING)
    row = CatalogueEntry.objects.get(key="greet")
    path = f"{LIST}{row.pk}/change/"
    sent = page(client, path)
    assert client.post(path, sent.dict()).status_code == 302
    assert CatalogueEntry.objects.get(key="greet").spec == row.spec
    assert LogEntry.objects.latest("pk").get_change_message() == "No fields changed."
    sent["spec-messages-0-text"] = "Hello {{ name }} {{ tone }}."
    assert client.post(path, sent.dict()).status_code == 302
    changed = CatalogueEntry.objects.get(key="greet")
    assert changed.spec["messages"][0]["text"] == "Hello {{ name }} {{ tone }}."


def test_a_mistake_is_told_on_its_field_and_what_was_written_stays(
    client: Client,
) -> None:
    bad = {**GREETING, "spec-messages-0-text": "{{ nobody }} {{ name }} <b>"}
    response = add(client, "prompt", **bad)
    assert "nobody, which is not declared" in str(errors(response)["spec-arguments"])
    again = Page(response.content.decode()).sent
    assert again["spec-messages-0-text"] == "{{ nobody }} {{ name }} <b>"
    assert again["spec-arguments-1-values"] == "kindly\r\nin a <hurry>"
    assert not CatalogueEntry.objects.filter(key="greet").exists()


async def test_a_text_is_made_changed_and_switched_off(client: Client) -> None:
    made = {"key": "docs://hours", "spec-text": "Nine to five."}
    response = await sync_to_async(add)(client, "text", **made)
    assert response.status_code == 302, errors(response)
    async with connect() as mcp:
        read = await mcp.read_resource("docs://hours")
        assert read["contents"][0]["text"] == "Nine to five."
        row = await CatalogueEntry.objects.aget(key="docs://hours")
        path = f"{LIST}{row.pk}/change/"
        sent = await sync_to_async(page)(client, path)
        del sent["enabled"]
        await sync_to_async(client.post)(path, sent.dict())
        with pytest.raises(ProtocolError, match="not found"):
            await mcp.read_resource("docs://hours")


async def test_a_preset_is_made_and_goes_where_its_tool_goes(client: Client) -> None:
    made = {
        "key": "count_open",
        "spec-tool": "count_orders",
        "spec-arguments": '{"status": "open"}',
    }
    response = await sync_to_async(add)(client, "preset", **made)
    assert response.status_code == 302, errors(response)
    async with connect() as mcp:
        result = await mcp.call_tool("count_open", {"region": "north"})
        assert result["structuredContent"] == 4
        base = CatalogueEntry.objects.filter(key="count_orders")
        await sync_to_async(base.update)(enabled=False)
        assert "count_open" not in [t["name"] for t in await mcp.list_tools()]
        with pytest.raises(ProtocolError, match="Unknown tool"):
            await mcp.call_tool("count_open", {})


@pytest.mark.parametrize(
    ("source", "values", "field"),
    [
        ("preset", {"spec-tool": "gone"}, "spec-tool"),
        (
            "preset",
            {"spec-tool": "count_orders", "spec-arguments": '{"state": 1}'},
            "__all__",
        ),
        ("preset", {"spec-input_schema": '{"$ref": "http://x"}'}, "spec-input_schema"),
        ("query", {"spec-shown_fields": "password"}, "spec-shown_fields"),
        ("query", {"spec-filters": "password__startswith"}, "spec-filters"),
        ("query", {"spec-page_size": "5000"}, "spec-page_size"),
        ("file", {"spec-path": "../settings.py"}, "spec-path"),
        ("text", {"spec-text": "a\u202eb"}, "spec-text"),
        ("prompt", {"key": "two words"}, "key"),
    ],
)
def test_what_cannot_be_served_is_refused_on_its_field(
    client: Client, source: str, values: dict[str, str], field: str
) -> None:
    good = {
        "preset": {"spec-tool": "count_orders", "spec-arguments": '{"status": "x"}'},
        "query": {"spec-model": "auth.User", "spec-shown_fields": "username"},
        "prompt": GREETING,
    }
    sent = {"key": "made_here", **good.get(source, {}), **values}
    assert field in errors(add(client, source, **sent))
    assert not CatalogueEntry.objects.exclude(source="code").exists()


async def test_a_query_is_made_and_finds_rows(client: Client) -> None:
    made = {
        "key": "find_users",
        "spec-model": "auth.User",
        "spec-shown_fields": "username",
        "spec-filters": "username__startswith",
        "spec-page_size": "5",
    }
    response = await sync_to_async(add)(client, "query", **made)
    assert response.status_code == 302, errors(response)
    one = caller("tools:call", permissions=["auth.view_user"])
    async with connect(caller=one) as mcp:
        result = await mcp.call_tool("find_users", {"username__startswith": "ro"})
    assert result["structuredContent"]["rows"] == [{"username": "root"}]


# The preview of a prompt.


def previewed(client: Client, **values: Any) -> Any:
    sent = page(client, f"{LIST}add/?source=prompt")
    sent.update({**GREETING, **values})
    return client.post(PREVIEW, sent.dict())


def test_a_prompt_is_looked_at_before_it_is_saved(client: Client) -> None:
    response = previewed(client)
    (message,) = response.context["prompt_messages"]
    assert message == {"role": "user", "content": "Greet [name], kindly."}
    again = Page(response.content.decode()).sent
    again.update({"sample-name": "<Ada>", "sample-tone": ""})
    tried = client.post(PREVIEW, again.dict())
    assert "Greet &lt;Ada&gt;." in tried.content.decode()
    assert Page(tried.content.decode()).sent["sample-name"] == "<Ada>"
    assert not CatalogueEntry.objects.filter(key="greet").exists()


def test_a_preview_tells_what_is_wrong(client: Client) -> None:
    bad = previewed(client, **{"spec-messages-0-text": "{% load x %}"})
    assert "is unknown; there are" in words(bad)
    blank = previewed(
        client, **{"spec-messages-0-text": "{% if tone %}{{ name }}{% endif %}"}
    )
    sent = Page(blank.content.decode()).sent
    sent["sample-tone"] = ""
    assert "the prompt is empty" in words(client.post(PREVIEW, sent.dict()))


def test_a_preview_is_offered_for_prompts_and_no_other(client: Client) -> None:
    assert PREVIEW in words(client.get(f"{LIST}add/?source=prompt"))
    assert PREVIEW not in words(client.get(f"{LIST}add/?source=text"))


def test_a_preview_is_for_those_who_make_prompts(client: Client) -> None:
    assert client.get(PREVIEW).status_code == 405
    sent = page(client, f"{LIST}add/?source=prompt")
    staff(client, "view_catalogueentry")
    assert client.post(PREVIEW, {**sent.dict(), **GREETING}).status_code == 403
    client.logout()
    assert client.post(PREVIEW).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="root"))
    assert strict.post(PREVIEW, GREETING).status_code == 403
