"""The owner's permissions bound a token, and a change of them is soon seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from mcp_transport import Shelf
from tests.tools_app.conftest import Clock, Issue, ask
from tools_app.tokens import FRESH_S, TokenAuthenticator

# Lookups run in threads, whose connections see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

Seen = Callable[[], list[str]]


def free() -> str:
    """Needs no permission."""
    return ""


@pytest.fixture
def permission() -> Permission:
    return Permission.objects.get(codename="view_user")


@pytest.fixture
def seen(authenticator: TokenAuthenticator, issue: Issue) -> Seen:
    """Which tools the owner's token can use now, with every scope."""
    _, text = issue(scopes=["*"])
    shelf = Shelf()
    shelf.tool(free)
    shelf.tool(name="guarded", permission="auth.view_user")(free)

    def seen() -> list[str]:
        caller = ask(authenticator, text)
        assert caller is not None
        found = [shelf.snapshot.find("tools", n, caller) for n in ("free", "guarded")]
        return [tool.name for tool in found if tool is not None]

    return seen


def test_no_scope_grants_what_the_owner_may_not_do(seen: Seen) -> None:
    assert seen() == ["free"]


def test_a_permission_of_the_user_counts_at_once_and_until_it_is_taken(
    seen: Seen, owner: User, permission: Permission
) -> None:
    assert seen() == ["free"]
    owner.user_permissions.add(permission)
    assert seen() == ["free", "guarded"]
    owner.user_permissions.clear()
    assert seen() == ["free"]


def test_a_permission_of_a_group_counts_at_once_and_until_it_is_taken(
    seen: Seen, owner: User, permission: Permission
) -> None:
    group = Group.objects.create(name="staff")
    owner.groups.add(group)
    assert seen() == ["free"]
    group.permissions.add(permission)
    assert seen() == ["free", "guarded"]
    group.user_set.remove(owner)
    assert seen() == ["free"]
    owner.groups.set([group])
    assert seen() == ["free", "guarded"]
    permission.group_set.remove(group)
    assert seen() == ["free"]


def test_a_change_counts_when_it_is_committed(
    seen: Seen, owner: User, permission: Permission
) -> None:
    owner.user_permissions.add(permission)
    assert seen() == ["free", "guarded"]
    with transaction.atomic():
        owner.user_permissions.clear()
        assert seen() == ["free", "guarded"]
    assert seen() == ["free"]


def test_a_change_elsewhere_acts_within_five_seconds(
    seen: Seen, owner: User, permission: Permission, clock: Clock
) -> None:
    group = Group.objects.create(name="staff")
    group.permissions.add(permission)
    owner.groups.add(group)
    assert seen() == ["free", "guarded"]
    # What sends no signal here is as what another process did.
    User.groups.through.objects.filter(user_id=owner.pk).delete()
    assert seen() == ["free", "guarded"]
    clock.now_s += FRESH_S
    assert seen() == ["free"]


def test_a_superuser_is_bounded_when_no_more_one(seen: Seen, owner: User) -> None:
    owner.is_superuser = True
    owner.save()
    assert seen() == ["free", "guarded"]
    owner.is_superuser = False
    owner.save()
    assert seen() == ["free"]
