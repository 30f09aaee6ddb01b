"""The export has what the list shows, all of it, and nothing that runs."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from tests.tools_app.conftest import Issue
from tests.tools_app.ledger.calls import call
from tools_app.ledger import export
from tools_app.models import Call

LIST = "/admin/tools_app/call/"


def read(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    response: Any = client.get(f"{LIST}export/{query}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="')
    return read(b"".join(response.streaming_content))


@pytest.mark.django_db
def test_a_row_has_what_the_call_has(client: Client, root: User, issue: Issue) -> None:
    token, _ = issue()
    row = call(
        token=token,
        user=token.owner,
        arguments={"text": 'é, "x"\n'},
        error_code=-32602,
        error="Unknown tool",
    )
    row.save()
    (line,) = exported(client)
    assert line["at"] == row.at.isoformat()
    assert (line["user"], line["token"]) == ("ada", token.public_id)
    assert json.loads(line["arguments"]) == row.arguments
    assert line["error_code"] == "-32602"
    assert line["duration_ms"] == "25.0"
    assert list(line) == list(export.COLUMNS)


@pytest.mark.django_db
def test_it_has_what_the_list_shows_beyond_its_page(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK_ROWS", 7)
    Call.objects.bulk_create(
        call(
            name=f"tool{n}", door="sse" if n % 2 else "stdio", ago=timedelta(seconds=n)
        )
        for n in range(140)
    )
    names = [line["name"] for line in exported(client)]
    assert names == [f"tool{n}" for n in range(140)]
    assert len(exported(client, "?door=sse")) == 70
    assert [line["name"] for line in exported(client, "?q=tool139")] == ["tool139"]
    assert exported(client, "?q=none") == []


@pytest.mark.django_db
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＠"])
def test_what_a_spreadsheet_would_run_is_text(
    client: Client, root: User, start: str
) -> None:
    call(name=f"{start}cmd", error=f"{start}1+1", client="a=b").save()
    (line,) = exported(client)
    assert line["name"] == f"'{start}cmd"
    assert line["error"] == f"'{start}1+1"
    assert line["client"] == "a=b"


@pytest.mark.django_db
@pytest.mark.parametrize("separator", [";", "; ", "|", "\n"])
def test_nor_does_one_run_that_sees_other_separators_than_ours(
    client: Client, root: User, separator: str
) -> None:
    text = f"a{separator}=1+1"
    call(error=text, client="a;b", arguments={"q": text}).save()
    (line,) = exported(client)
    mark = separator[0]
    assert line["error"] == f"a{mark}'{separator[1:]}=1+1"
    assert line["client"] == "a;b"
    # Within JSON there is no line end.
    kept = text if mark == "\n" else line["error"]
    assert json.loads(line["arguments"]) == {"q": kept}


@pytest.mark.django_db(transaction=True)
async def test_under_asgi_it_is_sent_as_it_is_read(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK_ROWS", 10)
    root = await User.objects.acreate(username="root", is_staff=True, is_superuser=True)
    await async_client.aforce_login(root)
    await Call.objects.abulk_create([call(name=f"tool{n}") for n in range(25)])
    response: Any = await async_client.get(f"{LIST}export/")
    assert response.is_async
    chunks = [chunk async for chunk in response.streaming_content]
    assert len(chunks) == 4
    assert len(read(b"".join(chunks))) == 25
