"""Nobody gains rights by steering: who may not do what a tool does cannot open it to
those who have fewer rights, himself among them.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.catalogue.shop import ShopCatalogue
from tests.tools_app.catalogue.test_admin import LIST, act, change
from tests.tools_app.pages import words
from tests.tools_app.transfer.conftest import file
from tools_app.catalogue.sync import sync
from tools_app.models import CatalogueEntry

pytestmark = pytest.mark.django_db(transaction=True)

NEEDED = "auth.delete_user"
REFUSED = f"Only who has the permission {NEEDED} may put another in its place."
WAYS = ["page", "rest", "import"]


@pytest.fixture
def refund(served: ShopCatalogue, shelf: Shelf) -> CatalogueEntry:
    """The row of a tool that not everybody may call."""

    @shelf.tool(permission=NEEDED)
    def refund(order: int) -> str:
        """Give the money back."""
        return str(order)

    sync(shelf.entries())
    return CatalogueEntry.objects.get(key="refund")


@pytest.fixture
def sam(client: Client) -> User:
    """An administrator of the catalogue, and of nothing else."""
    user = User.objects.create_user("sam", is_staff=True)
    mine = ("view_catalogueentry", "change_catalogueentry", "add_catalogueentry")
    user.user_permissions.set(Permission.objects.filter(codename__in=mine))
    client.force_login(user)
    return user


def steer(client: Client, way: str, row: CatalogueEntry, **said: Any) -> str:
    """Have ``row`` say so, in one of WAYS; return what is answered."""
    if way == "page":
        return words(change(client, row, **said))
    if way == "rest":
        url = f"/api/catalogue/{row.kind}/{row.key}/"
        return words(client.patch(url, said, content_type="application/json"))
    item = {"kind": row.kind, "key": row.key, "source": "code", **said}
    sent = SimpleUploadedFile("catalogue.json", file(item))
    page = client.post(f"{LIST}import/", {"file": sent})
    if page.context["refused"]:
        # Whoever does not look at what would change first is refused as well.
        page = client.post(f"{LIST}import/", {"document": file(item).decode()})
        return words(page)
    return words(client.post(f"{LIST}import/", {"document": file(item).decode()}))


@pytest.mark.parametrize("way", WAYS)
def test_who_lacks_a_permission_cannot_put_another_in_its_place(
    client: Client, refund: CatalogueEntry, sam: User, way: str
) -> None:
    said = steer(client, way, refund, permission="tools_app.view_catalogueentry")
    refund.refresh_from_db()
    assert (REFUSED in said, refund.needed_permission) == (True, NEEDED)


@pytest.mark.parametrize("way", WAYS)
def test_who_lacks_it_can_say_all_else_and_give_the_entry_another_beside(
    client: Client, refund: CatalogueEntry, sam: User, way: str
) -> None:
    steer(client, way, refund, title="Refund", permission=NEEDED)
    refund.refresh_from_db()
    assert (refund.title, refund.permission) == ("Refund", NEEDED)
    open_to_all = CatalogueEntry.objects.get(key="letter")
    steer(client, way, open_to_all, permission=NEEDED)
    open_to_all.refresh_from_db()
    assert open_to_all.permission == NEEDED


@pytest.mark.parametrize("way", WAYS)
def test_who_has_it_may(
    client: Client, refund: CatalogueEntry, sam: User, way: str
) -> None:
    sam.user_permissions.add(Permission.objects.get(codename="delete_user"))
    steer(client, way, refund, permission="auth.view_user")
    refund.refresh_from_db()
    assert refund.needed_permission == "auth.view_user"


@pytest.mark.parametrize("way", [*WAYS, "action"])
def test_nor_can_what_administrators_asked_for_be_reset_without_it(
    client: Client, rows: dict[str, CatalogueEntry], sam: User, way: str
) -> None:
    row = rows["count_orders"]
    CatalogueEntry.objects.filter(pk=row.pk).update(permission=NEEDED, title="Count")
    if way == "action":
        said = words(act(client, "reset_to_code", row))
    else:
        box = {"reset-permission": "on"} if way == "page" else {}
        said = steer(client, way, row, permission="", **box)
    row.refresh_from_db()
    assert (REFUSED in said, row.permission) == (True, NEEDED)
