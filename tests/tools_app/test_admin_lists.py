"""The list of tokens, with as many as a large shop has."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.tools_app.pages import LIST, staff, words
from tools_app.models import Token

pytestmark = pytest.mark.django_db


def issue(count: int) -> None:
    owners = User.objects.bulk_create(
        User(username=f"owner{number}") for number in range(count)
    )
    Token.objects.bulk_create(
        Token(
            name=f"token {owner.username}",
            owner=owner,
            public_id=f"{number:012}",
            digest=f"{number:064}",
            scopes=["tools:call"],
        )
        for number, owner in enumerate(owners)
    )


def cost_in_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        response = client.get(url)
    assert response.status_code == 200
    assert "token owner" in words(response)
    return len(seen)


@pytest.mark.parametrize("url", [LIST, LIST + "?q=owner", LIST + "?state=active"])
def test_a_page_costs_as_many_queries_however_long_the_list(
    client: Client, root: User, url: str
) -> None:
    issue(3)
    few = cost_in_queries(client, url)
    Token.objects.all().delete()
    User.objects.filter(username__startswith="owner").delete()
    issue(500)
    assert cost_in_queries(client, url) == few


@pytest.mark.parametrize(
    "lookup",
    [
        "digest__startswith",
        "previous_digest__gt",
        "owner__password__startswith",
        "owner__mcp_tokens__digest",
    ],
)
def test_nobody_looks_for_what_nobody_may_see(client: Client, lookup: str) -> None:
    issue(2)
    staff(client, "view_token")
    assert client.get(LIST, {lookup: "0"}).status_code == 400
    assert client.get(LIST, {"name__startswith": "token"}).status_code == 200
