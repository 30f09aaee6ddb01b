from __future__ import annotations

import json
import logging
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


@pytest.mark.parametrize("action", ["revoke", "rotate", "end-old-secret"])
def test_an_unknown_token_is_told(issue: Issue, action: str) -> None:
    issue()
    with pytest.raises(CommandError, match='no token "nobody".*mcp tokens list'):
        run("tokens", action, "nobody")
    assert Token.objects.get().state is State.ACTIVE


def test_create_sets_limits(owner: User) -> None:
    limits = "--tool echo add --tool echo --rate 60/m --max-calls 3 --network ::1"
    create("--scope", "*", *limits.split())
    token = Token.objects.get()
    assert token.allowed_tools == ["echo", "add"]
    assert (token.rate, token.max_calls, token.networks) == ("60/m", 3, ["::1"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tool", "a/b"], "'a/b' is not a valid name"),
        (["--rate", "often"], "'often' is no rate"),
        (["--max-calls", "0"], "--max-calls.*from 1 to 10000"),
        (["--network", "192.0.2.1/24"], "host bits set"),
    ],
)
def test_a_limit_that_is_none_is_refused(
    owner: User, words: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        create("--scope", "*", *words)
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("words", "hours"), [([], 24), (["--overlap-hours", "720"], 720)]
)
def test_rotate_prints_the_new_token_alone(
    issue: Issue, words: list[str], hours: int
) -> None:
    token, old = issue()
    before = timezone.now()
    out, err = run("tokens", "rotate", token.public_id, *words)
    token.refresh_from_db()
    digest = credential.digest(credential.peppers()[0], out.removesuffix("\n"))
    assert token.digest == digest.hex()
    assert token.old_secret_until is not None
    overlap = token.old_secret_until - before
    assert timedelta(hours=hours) <= overlap < timedelta(hours=hours, minutes=1)
    for said in (token.identifier, "works until", "shown this once"):
        assert said in err
    assert out.strip() not in err
    [row] = json.loads(run("tokens", "list", "--json")[0])
    assert row["old_secret_until"] == token.old_secret_until.isoformat(
        timespec="seconds"
    )
    assert old.rpartition("_")[2] not in out + err


@pytest.mark.parametrize("hours", ["-1", "721", "1.5", "x", ""])
def test_another_overlap_is_refused(issue: Issue, hours: str) -> None:
    token, _ = issue()
    with pytest.raises(CommandError, match="--overlap-hours.*from 0 to 720"):
        run("tokens", "rotate", token.public_id, "--overlap-hours", hours)
    assert Token.objects.get().digest == token.digest


def test_a_token_that_is_not_active_is_not_rotated(issue: Issue) -> None:
    token, _ = issue()
    token.revoke()
    with pytest.raises(CommandError, match="Only an active token"):
        run("tokens", "rotate", token.public_id)


def test_the_old_secret_is_ended(issue: Issue) -> None:
    token, _ = issue()
    with pytest.raises(CommandError, match="no old secret that works"):
        run("tokens", "end-old-secret", token.public_id)
    token.rotate()
    out, _ = run("tokens", "end-old-secret", token.identifier)
    assert str(token) in out
    assert Token.objects.get().old_secret_until is None


def test_each_change_is_logged_in_one_line_without_a_secret(
    owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tools_app.tokens"):
        texts = [create("--scope", "*")[0].strip()]
        token = Token.objects.get()
        for words in ([], ["--overlap-hours", "0"]):
            out, _ = run("tokens", "rotate", token.public_id, *words)
            texts.append(out.strip())
            token.refresh_from_db()
            if token.old_secret_until is not None:
                run("tokens", "end-old-secret", token.public_id)
        run("tokens", "revoke", token.public_id)
    said = [record.getMessage() for record in caplog.records]
    done = ["issued", "rotated", "left with its new secret", "rotated", "revoked"]
    assert len(said) == len(done)
    for line, change in zip(said, done, strict=True):
        assert line.startswith(f"By command, token {token.identifier} was {change}")
        assert "\n" not in line
    for text in texts:
        assert text.rpartition("_")[2] not in caplog.text


@pytest.mark.parametrize("words", [[], ["tokens"], ["tokens", "rotate"], ["nothing"]])
def test_half_a_command_is_refused(words: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*words)
