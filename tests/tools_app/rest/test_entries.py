from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.test import Client

from tests.tools_app.catalogue.conftest import rows as rows
from tests.tools_app.catalogue.conftest import served as served
from tests.tools_app.catalogue.conftest import shelf as shelf
from tests.tools_app.catalogue.shop import ShopCatalogue
from tools_app.models import CatalogueEntry

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/catalogue/"
TOOL = f"{LIST}tools/count_orders/"

Rows = dict[str, CatalogueEntry]


@pytest.fixture
def steering(client: Client) -> Client:
    """A client of somebody who may change the catalogue, and no more."""
    user = User.objects.create_user("sam", is_staff=True)
    mine = Permission.objects.filter(
        codename__in=["view_catalogueentry", "change_catalogueentry"]
    )
    user.user_permissions.set(mine)
    client.force_login(user)
    return client


def patch(client: Client, url: str = TOOL, **given: Any) -> Any:
    return client.patch(url, given, content_type="application/json")


def test_it_tells_what_is_said_and_what_the_code_says(
    rows: Rows, steering: Client
) -> None:
    found = steering.get(TOOL).json()
    assert (found["kind"], found["key"], found["enabled"]) == (
        "tools",
        "count_orders",
        True,
    )
    assert (found["description"], found["tags"]) == ("", None)
    assert found["code"]["description"] == "Count the orders."
    assert found["code"]["arguments"]["status"] == "as the shop has it."


@pytest.mark.parametrize(
    "url", ["resources/shop%3A%2F%2Fhours/", "templates/shop://orders/{pk}/"]
)
def test_a_uri_names_it_as_well(rows: Rows, steering: Client, url: str) -> None:
    assert steering.get(f"/api/catalogue/{url}").status_code == 200


@pytest.mark.parametrize("url", ["tools/gone/", "tools/a%00/", "%00/count_orders/"])
def test_what_is_not_there_is_not_found(rows: Rows, steering: Client, url: str) -> None:
    assert steering.get(f"/api/catalogue/{url}").status_code == 404


def test_what_is_changed_is_served_and_in_the_history(
    rows: Rows, steering: Client, served: ShopCatalogue
) -> None:
    response = patch(
        steering,
        description="How many.",
        argument_descriptions={"status": "open or sent"},
        tags=["sales"],
        rate="5/m",
        title="",
    )
    assert response.status_code == 200, response.content
    assert response.json()["description"] == "How many."
    entry = served.current().snapshot.entries["tools"]["count_orders"]
    assert entry.description == "How many."
    assert entry.tags == {"sales"}
    (said,) = LogEntry.objects.all()
    assert said.user.username == "sam"
    assert said.get_change_message() == (
        "Changed Description, Descriptions of arguments, Tags and Rate."
    )
    patch(steering, enabled=False)
    assert "count_orders" not in served.current().snapshot.entries["tools"]
    assert steering.get(TOOL).json()["enabled"] is False
    patch(steering, enabled=True, tags=None)
    entry = served.current().snapshot.entries["tools"]["count_orders"]
    assert entry.tags == {"orders"}


def test_what_is_as_it_was_is_no_change(rows: Rows, steering: Client) -> None:
    assert patch(steering, title="", enabled=True).status_code == 200
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"rate": "often"}, "rate"),
        ({"title": "in\u200bvisible"}, "title"),
        ({"scope": "*"}, "scope"),
        ({"tags": "a"}, "tags"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"annotations": {"audience": ["user"]}}, "annotations"),
        ({"annotations": {"readOnlyHint": 1}}, "annotations"),
        ({"argument_descriptions": {"none": "a"}}, "argument_descriptions"),
        ({"argument_descriptions": ["a"]}, "argument_descriptions"),
        ({"visibility": "hidden"}, "visibility"),
        ({"enabled": None}, "enabled"),
    ],
)
def test_what_is_wrong_is_said_by_field(
    rows: Rows, steering: Client, given: dict[str, Any], field: str
) -> None:
    response = patch(steering, **given)
    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not LogEntry.objects.exists()


def test_what_is_known_of_the_code_stays(rows: Rows, steering: Client) -> None:
    given = {"key": "other", "kind": "prompts", "source": "note"}
    assert patch(steering, code={}, **given).status_code == 200
    row = CatalogueEntry.objects.get(key="count_orders")
    assert (row.kind, row.source) == ("tools", "code")
    assert row.code["description"] == "Count the orders."


def test_only_who_may_steer_the_catalogue_does(rows: Rows, client: Client) -> None:
    assert patch(client, enabled=False).status_code in (401, 403)
    user = User.objects.create_user("vera", is_staff=True)
    client.force_login(user)
    assert client.get(TOOL).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_catalogueentry"))
    assert client.get(TOOL).status_code == 200
    assert patch(client, enabled=False).status_code == 403
    assert CatalogueEntry.objects.get(key="count_orders").enabled


def test_what_there_is_not_is_not_found(rows: Rows, steering: Client) -> None:
    assert steering.get("/api/catalogue/tools/none/").status_code == 404
    assert steering.get("/api/catalogue/things/count_orders/").status_code == 404


def test_a_page_elsewhere_cannot_change_it(rows: Rows) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    assert patch(client, enabled=False).status_code == 403


def listed(client: Client, query: str = "") -> list[tuple[str, str]]:
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200, response.content
    return [(entry["key"], entry["status"]) for entry in response.json()["results"]]


def test_the_list_has_what_is_switched_off(rows: Rows, steering: Client) -> None:
    before = steering.get(LIST).json()["count"]
    patch(steering, enabled=False)
    patch(steering, "/api/catalogue/resources/shop://hours/", enabled=False)
    assert steering.get(LIST).json()["count"] == before
    off = [("shop://hours", "off"), ("count_orders", "off")]
    assert listed(steering, "status=off") == off
    assert listed(steering, "status=off&page_size=1&page=2") == off[1:]
    assert listed(steering, "status=off&kind=tools") == off[1:]
    assert ("slow", "on") in listed(steering, "status=on")
    assert listed(steering, "ordering=status&page_size=2&kind=tools")[0] == off[1]
    (told,) = steering.get(f"{LIST}?status=off&kind=tools").json()["results"]
    assert (told["scope"], told["usable"]) == ("tools:call:count_orders", False)
    assert steering.get(f"{LIST}?status=away").status_code == 400


def test_the_list_says_why_an_entry_is_not_servable(
    rows: Rows, steering: Client
) -> None:
    CatalogueEntry.objects.create(kind="tools", key="lost", source="gone")
    (told,) = steering.get(f"{LIST}?status=broken").json()["results"]
    assert (told["key"], told["scope"]) == ("lost", None)
    assert told["reason"] == 'There is no kind of entry "gone" any more.'


def test_what_is_off_is_listed_to_those_who_may_view_it(
    rows: Rows, steering: Client
) -> None:
    patch(steering, enabled=False)
    vera = Client()
    user = User.objects.create_user("vera", is_staff=True)
    vera.force_login(user)
    assert "count_orders" not in dict(listed(vera))
    assert listed(vera, "status=off") == []
    user.user_permissions.add(Permission.objects.get(codename="view_catalogueentry"))
    assert dict(listed(vera))["count_orders"] == "off"


def test_a_database_that_is_away_is_said_to_be(
    rows: Rows, steering: Client, served: ShopCatalogue, monkeypatch: Any
) -> None:
    def fail() -> None:
        raise OperationalError("the password of the database is …")

    monkeypatch.setattr(served, "current", fail)
    response = steering.get(LIST)
    assert response.status_code == 503
    assert response.json() == {"detail": "The catalogue cannot be read at the moment."}
