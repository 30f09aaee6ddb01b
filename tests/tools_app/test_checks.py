from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import override_settings

from tools_app.checks import check_secret_key
from tools_app.tokens import TokenAuthenticator

# Some of Django's own checks ask what the database can do.
pytestmark = pytest.mark.django_db

NAMED = ["tools_app.tokens.TokenAuthenticator"]


class Stricter(TokenAuthenticator):
    pass


def ids(mcp: Any) -> list[str | None]:
    with override_settings(MCP=mcp):
        found = [message.id for message in run_checks()]
    return [id for id in found if id and id.startswith("tools_app.")]


@pytest.mark.parametrize(
    "named",
    [
        NAMED,
        ["tests.engine.missing.Authenticator", *NAMED],
        [f"{__name__}.Stricter"],
    ],
)
def test_an_authenticator_that_takes_tokens_is_enough(named: Any) -> None:
    assert ids({"AUTHENTICATORS": named}) == []


@pytest.mark.parametrize(
    "mcp",
    [
        {},
        {"AUTHENTICATORS": []},
        {"AUTHENTICATORS": ["tests.engine.missing.Authenticator"]},
        {"AUTHENTICATORS": ["collections.OrderedDict", "json.dumps"]},
    ],
)
def test_tokens_that_nobody_takes_are_warned_of(mcp: Any) -> None:
    assert ids(mcp) == ["tools_app.W001"]


@pytest.mark.parametrize("pepper", [None, "p" * 32])
def test_a_long_pepper_or_none_is_accepted(pepper: Any) -> None:
    assert ids({"AUTHENTICATORS": NAMED, "TOKEN_PEPPER": pepper}) == []


@pytest.mark.parametrize("pepper", ["", "p" * 31])
def test_a_pepper_that_can_be_guessed_is_refused(pepper: str) -> None:
    mcp = {"AUTHENTICATORS": NAMED, "TOKEN_PEPPER": pepper}
    assert ids(mcp) == ["tools_app.E001"]


@pytest.mark.parametrize(
    "key", ["k" * 60, "short but random: 7f9aK2", f"django-insecure-{'abcdef' * 9}"]
)
def test_without_a_pepper_the_secret_key_is_not_to_be_guessed(key: str) -> None:
    pepper = {"AUTHENTICATORS": NAMED, "TOKEN_PEPPER": "p" * 32}

    def found(mcp: Any, debug: bool = False) -> list[str]:
        served = {"DEBUG": debug, "ALLOWED_HOSTS": ["mcp.example.com"]}
        with override_settings(SECRET_KEY=key, MCP=mcp, **served):
            return [str(message.id) for message in check_secret_key(None)]

    assert found({"AUTHENTICATORS": NAMED}) == ["tools_app.E002"]
    assert found({"AUTHENTICATORS": NAMED}, debug=True) == []
    assert found(pepper) == []


def test_each_pepper_that_was_in_use_is_checked_too() -> None:
    fallbacks = ["p" * 32, "p" * 31, ""]
    mcp = {"AUTHENTICATORS": NAMED, "TOKEN_PEPPER_FALLBACKS": fallbacks}
    assert ids(mcp) == ["tools_app.E001"] * 2


TICKETS = {"AUTHENTICATORS": NAMED, "TICKETS": "tools_app.tickets.SingleUse"}
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
DUMMY = "django.core.cache.backends.dummy.DummyCache"
REDIS = "django.core.cache.backends.redis.RedisCache"


@pytest.mark.parametrize(
    ("mcp", "backend", "found"),
    [
        (TICKETS, LOCMEM, []),
        (TICKETS, DUMMY, ["tools_app.E003"]),
        ({**TICKETS, "STORE": "redis://there"}, LOCMEM, ["tools_app.E003"]),
        ({**TICKETS, "STORE": "redis://there"}, REDIS, []),
        ({"AUTHENTICATORS": NAMED}, DUMMY, []),
    ],
)
def test_a_cache_in_which_tickets_work_twice_is_refused(
    mcp: Any, backend: str, found: list[str]
) -> None:
    cache = {"BACKEND": backend, "LOCATION": "redis://there"}
    with override_settings(CACHES={"default": cache}):
        assert ids(mcp) == found


@pytest.mark.parametrize("paths", [["shop.kinds.Gone"], ["builtins.dict"]])
def test_kinds_of_entries_that_are_none_are_refused(paths: list[str]) -> None:
    with override_settings(MCP_ENTRY_KINDS=paths):
        assert ids({"AUTHENTICATORS": NAMED}) == ["tools_app.E004"]


@pytest.mark.parametrize("root", ["files", "/no/such/folder", __file__])
def test_a_folder_of_files_that_is_none_is_refused(root: str) -> None:
    with override_settings(MCP_FILES_ROOT=root):
        assert ids({"AUTHENTICATORS": NAMED}) == ["tools_app.E005"]


def test_a_folder_of_files_is_one_that_is_there(tmp_path: Path) -> None:
    with override_settings(MCP_FILES_ROOT=tmp_path):
        assert ids({"AUTHENTICATORS": NAMED}) == []


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"RETENTION_DAYS": 7}, []),
        ({"RETENTION_DAYS": 0}, ["tools_app.E006"]),
        ({"RETENTION_DAYS": 0, "REDACTED": {}}, ["tools_app.E006"] * 2),
        ([], ["tools_app.E006"]),
    ],
)
def test_settings_of_the_ledger_are_checked(options: Any, codes: list[str]) -> None:
    mcp = {"AUTHENTICATORS": NAMED, "OBSERVERS": ["tools_app.ledger.Ledger"]}
    with override_settings(MCP_LEDGER=options):
        assert ids(mcp) == codes


@pytest.mark.parametrize("observers", [[], ["tests.none.Such"], ["json.JSONDecoder"]])
def test_who_sets_a_ledger_and_keeps_none_is_warned(observers: list[str]) -> None:
    mcp = {"AUTHENTICATORS": NAMED, "OBSERVERS": observers}
    assert ids(mcp) == []
    with override_settings(MCP_LEDGER={}):
        assert ids(mcp) == ["tools_app.W002"]


def test_a_database_in_which_nothing_is_counted_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {"AUTHENTICATORS": NAMED, "OBSERVERS": ["tools_app.ledger.Ledger"]}
    assert ids(kept) == []
    monkeypatch.setattr(connection, "vendor", "oracle")
    assert ids({"AUTHENTICATORS": NAMED}) == []
    assert ids(kept) == ["tools_app.E007"]
