from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from tests.tools_app.conftest import Issue
from tools_app import credential
from tools_app.models import State, Token

pytestmark = pytest.mark.django_db


def test_a_token_is_issued_for_ninety_days(issue: Issue, owner: User) -> None:
    before = timezone.now()
    token, text = issue(name="laptop", scopes=["tools:call", "*"], notes="by hand")
    kept = Token.objects.get()
    assert kept == token
    assert (kept.name, kept.owner, kept.notes) == ("laptop", owner, "by hand")
    assert kept.scopes == ["tools:call", "*"]
    assert credential.public_id_of(text) == kept.public_id
    assert timedelta(0) <= kept.expires_at - before - timedelta(days=90)
    assert kept.expires_at - timezone.now() <= timedelta(days=90)
    assert kept.last_used_at is kept.revoked_at is None
    assert kept.state is State.ACTIVE


def test_only_a_keyed_digest_of_the_text_is_kept(issue: Issue) -> None:
    token, text = issue()
    secret = text.rpartition("_")[2]
    row = Token.objects.values().get()
    assert all(secret not in str(value) for value in row.values())
    expected = credential.digest(credential.peppers()[0], text).hex()
    assert row["digest"] == expected
    assert secret not in f"{token} {token!r} {token.identifier}"


def test_a_token_is_given_a_secret_once(issue: Issue) -> None:
    token, _ = issue()
    with pytest.raises(ValueError, match="issue another"):
        token.mint()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scopes": ["tools call"]}, "is not a scope"),
        ({"scopes": "tools:call"}, "list of strings"),
        ({"name": ""}, "cannot be blank"),
        ({"name": "x" * 101}, "at most 100 characters"),
    ],
)
def test_what_is_not_acceptable_is_not_issued(
    issue: Issue, given: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        issue(**given)
    assert not Token.objects.exists()


def test_a_public_id_belongs_to_one_token(issue: Issue) -> None:
    token, _ = issue()
    other, _ = issue()
    other.public_id = token.public_id
    with pytest.raises(IntegrityError):
        other.save()


def test_revoking_keeps_the_first_time(issue: Issue) -> None:
    token, _ = issue()
    token.revoke()
    first = Token.objects.get().revoked_at
    assert first is not None
    assert token.state is State.REVOKED
    token.revoke()
    assert Token.objects.get().revoked_at == first


def test_revoking_does_not_undo_what_was_changed_meanwhile(issue: Issue) -> None:
    token, _ = issue()
    Token.objects.update(name="renamed")
    token.revoke()
    assert Token.objects.get().name == "renamed"


def test_states_are_found_as_they_are_told(issue: Issue) -> None:
    past = timezone.now() - timedelta(seconds=1)
    active, _ = issue()
    expired, _ = issue(expires_at=past)
    revoked, _ = issue()
    both, _ = issue(expires_at=past)
    revoked.revoke()
    both.revoke()
    for state, tokens in {
        State.ACTIVE: {active},
        State.EXPIRED: {expired},
        State.REVOKED: {revoked, both},
    }.items():
        assert set(Token.objects.in_state(state)) == tokens
        assert {token.state for token in tokens} == {state}


def test_a_users_tokens_go_with_the_user(issue: Issue, owner: User) -> None:
    issue()
    owner.delete()
    assert not Token.objects.exists()


def test_no_migration_is_missing() -> None:
    call_command(
        "makemigrations", "tools_app", check=True, dry_run=True, stdout=StringIO()
    )


@pytest.mark.django_db(transaction=True)
def test_migrations_go_back_and_forward(issue: Issue) -> None:
    issue()
    models = apps.get_app_config("tools_app").get_models()
    tables = {model._meta.db_table for model in models}
    call_command("migrate", "tools_app", "zero", verbosity=0)
    assert tables.isdisjoint(connection.introspection.table_names())
    call_command("migrate", "tools_app", verbosity=0)
    assert tables <= set(connection.introspection.table_names())
    assert not Token.objects.exists()
