from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.test import Client

from mcp_transport.engine.caller import Caller
from tools_app.ledger import Ledger
from tools_app.models import Token
from tools_app.tokens import TokenAuthenticator

Issue = Callable[..., tuple[Token, str]]


class Clock:
    """Monotonic seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def ask(authenticator: TokenAuthenticator, text: str) -> Caller | None:
    """Authenticate as under WSGI: in an event loop of the request's own."""
    return asyncio.run(authenticator.authenticate(text))


def other_secret(text: str) -> str:
    return text[:-1] + ("a" if text[-1] != "a" else "b")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(clock: Clock) -> Iterator[TokenAuthenticator]:
    made = TokenAuthenticator(clock=clock)
    yield made
    made._threads.shutdown()


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("ada", password="secret")


@pytest.fixture
def root(client: Client) -> User:
    user = User.objects.create_superuser("root")
    client.force_login(user)
    return user


@pytest.fixture
def issue(owner: User) -> Issue:
    def issue(**given: Any) -> tuple[Token, str]:
        defaults: dict[str, Any] = {
            "name": "laptop",
            "owner": owner,
            "scopes": ["tools:call"],
        }
        return Token.objects.issue(**{**defaults, **given})

    return issue


@pytest.fixture
def ledger(transactional_db: None) -> Iterator[Ledger]:
    made = Ledger()
    yield made
    made.close()


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL that is run from here on, in whichever thread.

    Without what MariaDB is told and asked at the begin of each connection.
    """
    seen: list[str] = []
    execute = CursorWrapper.execute

    def recording(self: CursorWrapper, sql: str, params: Any = None) -> Any:
        if not sql.lstrip().startswith(("SET SESSION", "SELECT VERSION()")):
            seen.append(sql)
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", recording)
    return seen
