from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.tools_app.kinds.page import Page
from tests.tools_app.pages import staff, words
from tests.tools_app.transfer.conftest import (
    COUNT,
    HOURS,
    PRESET,
    entry,
    everything,
    file,
)
from tools_app.models import CatalogueEntry

LIST = "/admin/tools_app/catalogueentry/"
IMPORT = f"{LIST}import/"

pytestmark = pytest.mark.usefixtures("here", "root")


def look(client: Client, data: bytes) -> Any:
    """Send a file, to be shown what it would change."""
    return client.post(IMPORT, {"file": SimpleUploadedFile("catalogue.json", data)})


def outcomes(response: Any) -> dict[str, str]:
    return {row["key"]: row["action"] for row in response.context["rows"]}


def test_an_import_is_shown_first_and_done_then(client: Client, root: User) -> None:
    before = everything()
    seen = look(client, file(HOURS, PRESET, COUNT))
    assert outcomes(seen) == {
        "docs://hours": "created",
        "count_open": "created",
        "count_orders": "changed",
    }
    assert "<div>timeout_s</div>" in words(seen)
    assert everything() == before
    assert not LogEntry.objects.exists()

    done = client.post(IMPORT, Page(seen.content.decode()).sent.dict(), follow=True)
    assert "Imported: 2 created, 1 changed, 0 unchanged." in words(done)
    assert entry("docs://hours").spec == HOURS["spec"]
    assert set(LogEntry.objects.values_list("object_repr", "action_flag", "user")) == {
        ("docs://hours", ADDITION, root.pk),
        ("count_open", ADDITION, root.pk),
        ("count_orders", CHANGE, root.pk),
    }
    again = look(client, file(HOURS, PRESET, COUNT))
    assert set(outcomes(again).values()) == {"unchanged"}
    assert "nothing to import" in words(again)


def test_a_history_says_what_an_import_changed(client: Client) -> None:
    client.post(IMPORT, {"document": file(COUNT).decode()})
    (change,) = LogEntry.objects.all()
    said = "Imported: description, tags, timeout_s."
    assert change.get_change_message() == said
    assert said in words(client.get(f"{LIST}{entry('count_orders').pk}/history/"))


def test_what_is_refused_is_named_and_nothing_can_be_imported(client: Client) -> None:
    seen = look(client, file(HOURS, {**COUNT, "rate": "<often>"}))
    assert outcomes(seen) == {"docs://hours": "created", "count_orders": "refused"}
    assert "'<often>' is no rate" in words(seen)
    assert b"<often>" not in seen.content
    assert "document" not in Page(seen.content.decode()).sent
    before = everything()
    forced = client.post(
        IMPORT, {"document": file(HOURS, {**COUNT, "rate": "often"}).decode()}
    )
    assert outcomes(forced)["count_orders"] == "refused"
    assert everything() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{}", "This is no export"),
        (b"\xff", "not UTF-8"),
        (b"", "empty"),
        (file({**HOURS, "pk": 1}), "there is no member"),
    ],
)
def test_a_file_that_is_none_is_a_mistake_on_its_field(
    client: Client, data: bytes, said: str
) -> None:
    response = look(client, data)
    assert response.context["form"].errors
    assert said in words(response)


def test_a_document_that_is_none_is_refused_too(client: Client) -> None:
    assert "This is no export" in words(client.post(IMPORT, {"document": "{}"}))


def test_the_selected_entries_are_exported(client: Client) -> None:
    client.post(IMPORT, {"document": file(HOURS, COUNT).decode()})
    chosen = CatalogueEntry.objects.filter(key__in=["docs://hours", "letter"])
    sent = {
        "action": "export_selected",
        "_selected_action": list(chosen.values_list("pk", flat=True)),
    }
    response = client.post(LIST, sent)
    assert response["Content-Type"] == "application/json"
    assert 'attachment; filename="catalogue.json"' in response["Content-Disposition"]
    assert json.loads(response.content)["entries"] == [
        {"kind": "prompts", "key": "letter", "source": "code"},
        HOURS,
    ]


def test_an_import_is_for_those_who_may_add_and_change(client: Client) -> None:
    assert IMPORT in words(client.get(LIST))
    staff(client, "view_catalogueentry", "change_catalogueentry")
    assert IMPORT not in words(client.get(LIST))
    assert client.get(IMPORT).status_code == 403
    assert client.post(IMPORT, {"document": file().decode()}).status_code == 403
    client.logout()
    assert client.get(IMPORT).status_code == 302


def test_an_import_needs_the_token_of_its_page(root: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    sent = {"document": file(HOURS).decode()}
    assert strict.post(IMPORT, sent).status_code == 403
    assert not CatalogueEntry.objects.filter(key="docs://hours").exists()
