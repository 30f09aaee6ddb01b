from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from tests.tools_app.conftest import Issue
from tools_app.inspector.target import Target, find, run_as, why_not
from tools_app.models import Token

pytestmark = pytest.mark.django_db


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


@pytest.fixture
def sam() -> User:
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.add(permission("run_as"))
    return user


def test_a_token_and_a_user_are_found_by_their_names(owner: User, issue: Issue) -> None:
    token, _ = issue()
    found = find(f"token:{token.public_id}")
    assert found is not None and (found.row, found.user) == (token, owner)
    found = find(f"user:{owner.pk}")
    assert found is not None and (found.row, found.user) == (owner, owner)


@pytest.mark.parametrize(
    "name", ["", "ada", "user:", "token:", "user:1 2", "group:1", "user:" + "1" * 256]
)
def test_what_is_no_name_is_told_how_to_be_one(name: str) -> None:
    with pytest.raises(ValueError, match="token:PUBLIC_ID"):
        find(name)


@pytest.mark.parametrize("name", ["token:abcdefghijkl", "user:0", "user:ada"])
def test_nobody_is_found_by_another_name(name: str) -> None:
    assert find(name) is None


def test_a_name_may_be_larger_than_any_key() -> None:
    assert find("user:" + "9" * 255) is None


def test_who_has_no_more_rights_may_be_run_as(sam: User, owner: User) -> None:
    assert why_not(sam, Target.of_user(owner)) is None
    assert why_not(sam, Target.of_user(sam)) is None
    group = Group.objects.create(name="shop")
    group.permissions.add(permission("view_user"))
    owner.groups.add(group)
    sam.user_permissions.add(permission("view_user"))
    sam = User.objects.get(pk=sam.pk)
    assert why_not(sam, Target.of_user(User.objects.get(pk=owner.pk))) is None


def test_who_has_more_rights_may_not(sam: User, owner: User, issue: Issue) -> None:
    owner.user_permissions.add(permission("delete_user"))
    owner = User.objects.get(pk=owner.pk)
    token, _ = issue(owner=owner, scopes=["tools:call:nothing"])
    for target in (Target.of_user(owner), Target.of_token(token)):
        said = why_not(sam, target)
        assert said is not None and "auth.delete_user" in said
    assert why_not(User.objects.create_superuser("root"), target) is None


def test_as_a_superuser_runs_a_superuser_alone(sam: User) -> None:
    root = User.objects.create_superuser("root")
    said = why_not(sam, Target.of_user(root))
    assert said is not None and "only a superuser" in said
    assert why_not(root, Target.of_user(root)) is None


def test_as_what_is_refused_runs_nobody(owner: User, issue: Issue) -> None:
    root = User.objects.create_superuser("root")
    token, _ = issue()
    assert why_not(root, Target.of_token(token)) is None
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    token.refresh_from_db()
    assert "expired" in str(why_not(root, Target.of_token(token)))
    token.revoke()
    assert "revoked" in str(why_not(root, Target.of_token(token)))
    other, _ = issue(name="other")
    User.objects.update(is_active=False)
    other = Token.objects.get(pk=other.pk)
    assert "not active" in str(why_not(root, Target.of_token(other)))
    assert "not active" in str(why_not(root, Target.of_user(other.owner)))


def test_the_caller_is_the_real_one_by_another_subject(sam: User, issue: Issue) -> None:
    token, _ = issue(allowed_tools=["quote"], rate="60/m", max_calls=3)
    real, caller = Target.of_token(token).caller(), run_as(sam, Target.of_token(token))
    assert caller.subject == f"inspector:{sam.pk}:as:token:{token.public_id}"
    assert caller.actor == "sam" and real.actor is None
    for name in ("scopes", "permissions", "tools", "rate", "max_calls", "user"):
        assert getattr(caller, name) == getattr(real, name)
