from __future__ import annotations

import html
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import reverse

from tools_app.models import AllowedOrigin

pytestmark = pytest.mark.django_db

LIST = "/admin/tools_app/allowedorigin/"
ADD = f"{LIST}add/"
NOTICE = "These origins count for nothing yet."


@pytest.fixture
def root(client: Client) -> User:
    user = User.objects.create_superuser("root")
    client.force_login(user)
    return user


def words(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_an_origin_is_added_changed_and_deleted_with_its_history(
    client: Client, root: User
) -> None:
    added = {"origin": "HTTPS://App.Example.com", "note": "the shop's page"}
    assert client.post(ADD, added).status_code == 302
    allowed = AllowedOrigin.objects.get()
    assert allowed.origin == "https://app.example.com"
    assert (allowed.note, allowed.created_by) == ("the shop's page", root)

    editor = User.objects.create_superuser("editor")
    client.force_login(editor)
    change = reverse("admin:tools_app_allowedorigin_change", args=[allowed.pk])
    changed = {"origin": "https://new.example.com", "note": ""}
    assert client.post(change, changed).status_code == 302
    allowed.refresh_from_db()
    assert (allowed.origin, allowed.created_by) == ("https://new.example.com", root)

    delete = reverse("admin:tools_app_allowedorigin_delete", args=[allowed.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not AllowedOrigin.objects.exists()
    entries = LogEntry.objects.order_by("pk").values_list("action_flag", "user__pk")
    assert list(entries) == [
        (ADDITION, root.pk),
        (CHANGE, editor.pk),
        (DELETION, editor.pk),
    ]


@pytest.mark.parametrize("origin", ["*", "null", "https://app.example.com/"])
def test_what_is_no_origin_is_explained(
    client: Client, root: User, origin: str
) -> None:
    response = client.post(ADD, {"origin": origin, "note": ""})
    assert response.status_code == 200
    assert "Write scheme, host and port, such as https://app" in words(response)
    assert not AllowedOrigin.objects.exists()


def test_it_is_said_where_nobody_asks_for_them(client: Client, root: User) -> None:
    assert NOTICE in words(client.get(LIST))
    with override_settings(MCP={"ORIGINS": "tools_app.origins.AdminOrigins"}):
        assert NOTICE not in words(client.get(LIST))


def test_who_may_only_look_changes_nothing(client: Client) -> None:
    viewer = User.objects.create_user("sam", is_staff=True)
    viewer.user_permissions.set(
        Permission.objects.filter(codename="view_allowedorigin")
    )
    client.force_login(viewer)
    assert client.get(LIST).status_code == 200
    added = {"origin": "https://app.example.com", "note": ""}
    assert client.post(ADD, added).status_code == 403
