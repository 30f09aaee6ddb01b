from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from mcp_transport import Shelf
from tests.tools_app.rest.conftest import MCP, logged_in, user

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/catalogue/"
shelf = Shelf()


@shelf.tool(permission="tools_app.view_token", tags={"orders", "admin"})
def refund() -> str:
    """Give money back."""
    return "done"


@shelf.tool
def count() -> int:
    """Count."""
    return 1


@shelf.resource("order://list")
def orders() -> str:
    """All orders."""
    return ""


@shelf.resource("order://{pk}", name="order")
def order(pk: int) -> str:
    """One order."""
    return str(pk)


@shelf.prompt(scope="letters")
def letter() -> str:
    """Write a letter."""
    return ""


@pytest.fixture(autouse=True)
def stocked(configured: None) -> Iterator[None]:
    with override_settings(MCP={**MCP, "CATALOGUE": f"{__name__}.shelf"}):
        yield


def listed(client: Client, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{URL}?{query}")
    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def keys(client: Client, query: str = "") -> list[str]:
    return [entry["key"] for entry in listed(client, query)]


def test_everything_is_listed_with_its_rights(root: User) -> None:
    entries = {entry["key"]: entry for entry in listed(logged_in(root))}
    assert entries["refund"] == {
        "kind": "tools",
        "key": "refund",
        "name": "refund",
        "title": None,
        "description": "Give money back.",
        "scope": "tools:call:refund",
        "permission": "tools_app.view_token",
        "tags": ["admin", "orders"],
        "status": "on",
        "reason": None,
        "visibility": "listed",
        "usable": True,
    }
    assert entries["letter"]["scope"] == "letters"
    assert entries["order://{pk}"]["kind"] == "templates"


def test_it_tells_what_the_asking_user_could_use() -> None:
    def usable(client: Client) -> dict[str, bool]:
        return {entry["key"]: entry["usable"] for entry in listed(client)}

    assert usable(logged_in(user()))["refund"] is False
    assert usable(logged_in(user("view_token", name="tom")))["refund"] is True


def test_it_is_for_staff() -> None:
    assert Client().get(URL).status_code == 403
    assert logged_in(user(is_staff=False)).get(URL).status_code == 403
    assert logged_in(user(name="tom")).post(URL).status_code == 405


def test_it_has_kinds_an_order_and_pages(root: User) -> None:
    client = logged_in(root)
    assert keys(client) == [
        "letter",
        "order://list",
        "order://{pk}",
        "count",
        "refund",
    ]
    assert keys(client, "kind=tools") == ["count", "refund"]
    assert keys(client, "ordering=-name&kind=tools") == ["refund", "count"]
    assert keys(client, "ordering=name&page_size=2&page=2") == [
        "order://{pk}",
        "order://list",
    ]
    for wrong in ("kind=tool", "ordering=digest"):
        assert client.get(f"{URL}?{wrong}").status_code == 400


def test_the_schema_describes_it_all(root: User) -> None:
    response = logged_in(root).get("/api/schema/?format=json")
    assert response.status_code == 200
    assert set(response.json()["paths"]) - {"/api/schema/"} == {
        "/api/catalogue/",
        "/api/catalogue/{kind}/{key}/",
        "/api/tickets/",
        "/api/tokens/",
        "/api/tokens/{public_id}/",
        "/api/tokens/{public_id}/revoke/",
        "/api/tokens/{public_id}/rotate/",
    }
    assert Client().get("/api/schema/").status_code == 403
    assert Client().get("/api/schema/page/").status_code == 403


def test_the_page_asks_no_other_host(root: User) -> None:
    client = logged_in(root)
    page = client.get("/api/schema/page/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "//" not in text.replace("<!DOCTYPE", "")
    assert "<style" not in text
    [*_, script] = sources = re.findall(r'<script src="([^"]+)"></script>', text)
    assert len(sources) == text.count("<script") == 3
    # The other two are static files.
    found = client.get(script)
    assert found.status_code == 200
    assert found["Content-Type"].startswith("application/javascript")
    assert "/api/schema/" in found.content.decode()


def test_staff_may_browse(root: User) -> None:
    client = logged_in(root)
    for path in (URL, "/api/tokens/"):
        page = client.get(path, headers={"accept": "text/html"})
        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/html")
