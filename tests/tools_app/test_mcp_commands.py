from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.tools_app.conftest import Issue
from tools_app import credential
from tools_app.models import State, Token

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("mcp", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def create(*words: str, user: str = "ada") -> tuple[str, str]:
    return run("tokens", "create", "laptop", "--user", user, *words)


def test_create_prints_the_token_alone(owner: User) -> None:
    before = timezone.now()
    out, err = create("--scope", "tools:call", "--notes", "by hand")
    token = Token.objects.get()
    assert credential.public_id_of(out.removesuffix("\n")) == token.public_id
    digest = credential.digest(credential.peppers()[0], out.strip())
    assert token.digest == digest.hex()
    assert (token.name, token.owner, token.notes) == ("laptop", owner, "by hand")
    assert token.scopes == ["tools:call"]
    assert timedelta(0) <= token.expires_at - before - timedelta(days=90)
    assert token.expires_at - before < timedelta(days=90, minutes=1)
    assert out.strip() not in err
    for said in (token.identifier, "ada", "tools:call", "shown this once"):
        assert said in err


@pytest.mark.parametrize(
    "words",
    [
        ["--scope", "a", "b:c"],
        ["--scope", "a", "--scope", "b:c"],
        ["--scope", "a", "b:c", "--scope", "a"],
    ],
)
def test_scopes_are_given_together_or_one_by_one(owner: User, words: list[str]) -> None:
    create(*words)
    assert Token.objects.get().scopes == ["a", "b:c"]


@pytest.mark.parametrize("days", [1, 3650])
def test_the_lifetime_is_given_in_days(owner: User, days: int) -> None:
    before = timezone.now()
    create("--scope", "*", "--expires-days", str(days))
    lifetime = Token.objects.get().expires_at - before
    assert timedelta(days=days) <= lifetime < timedelta(days=days, minutes=1)


@pytest.mark.parametrize("days", ["0", "-1", "3651", "1e3", "x", "", "٣", "9" * 30])
def test_another_lifetime_is_refused(owner: User, days: str) -> None:
    with pytest.raises(CommandError, match="--expires-days"):
        create("--scope", "*", "--expires-days", days)
    assert not Token.objects.exists()


def test_a_scope_that_is_none_is_refused_by_name(owner: User) -> None:
    with pytest.raises(CommandError, match="'tools::call' is not a scope"):
        create("--scope", "tools::call")
    assert not Token.objects.exists()


def test_a_token_that_could_do_nothing_is_refused(owner: User) -> None:
    with pytest.raises(CommandError, match="Give --scope"):
        create()
    assert not Token.objects.exists()


def test_an_unknown_user_is_refused() -> None:
    with pytest.raises(CommandError, match='no user "eve".*createsuperuser'):
        create("--scope", "*", user="eve")


def test_an_inactive_user_is_refused(owner: User) -> None:
    owner.is_active = False
    owner.save()
    with pytest.raises(CommandError, match='"ada" is not active.*Activate'):
        create("--scope", "*")
    assert not Token.objects.exists()


def test_list_writes_json(issue: Issue) -> None:
    assert run("tokens", "list", "--json") == ("[]\n", "")
    first, text = issue(name="one", scopes=["a", "b"])
    second, _ = issue(name="two")
    second.revoke()
    Token.objects.filter(pk=first.pk).update(last_used_at=timezone.now())
    out, _ = run("tokens", "list", "--json")
    newest, oldest = json.loads(out)

    def moment(value: Any) -> str:
        written: str = value.isoformat(timespec="seconds")
        return written

    first.refresh_from_db()
    assert oldest == {
        "public_id": first.public_id,
        "name": "one",
        "owner": "ada",
        "scopes": ["a", "b"],
        "state": "active",
        "created_at": moment(first.created_at),
        "expires_at": moment(first.expires_at),
        "last_used_at": moment(first.last_used_at),
        "revoked_at": None,
        "old_secret_until": None,
        "old_secret_last_used_at": None,
        "tools": [],
        "rate": None,
        "max_calls": None,
        "networks": [],
    }
    assert (newest["name"], newest["state"]) == ("two", "revoked")
    assert newest["revoked_at"] == moment(second.revoked_at)
    assert text.rpartition("_")[2] not in out
    assert first.digest not in out


def test_list_writes_a_table(issue: Issue) -> None:
    token, text = issue(name="my laptop", scopes=["a", "b"])
    out, _ = run("tokens", "list")
    heading, row = out.splitlines()
    assert heading.split()[:3] == ["public_id", "state", "name"]
    assert row[heading.index("name") :].startswith("my laptop  ada")
    assert row.startswith(token.public_id)
    assert "a,b" in row
    assert text.rpartition("_")[2] not in out


@pytest.mark.parametrize("prefix", ["", "mcp_"])
def test_revoke_withdraws_a_token(issue: Issue, prefix: str) -> None:
    token, _ = issue()
    spared, _ = issue()
    out, _ = run("tokens", "revoke", prefix + token.public_id)
    assert str(token) in out
    token.refresh_from_db()
    spared.refresh_from_db()
    assert (token.state, spared.state) == (State.REVOKED, State.ACTIVE)


def test_an_unknown_token_is_not_revoked(issue: Issue) -> None:
    issue()
    with pytest.raises(CommandError, match='no token "nobody".*mcp tokens list'):
        run("tokens", "revoke", "nobody")
    assert Token.objects.get().state is State.ACTIVE


@pytest.mark.parametrize("words", [[], ["tokens"], ["tokens", "rotate"], ["nothing"]])
def test_half_a_command_is_refused(words: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*words)
