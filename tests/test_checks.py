from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.checks import WARNING, CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings
from redis import Redis

from mcp_transport import Shelf
from mcp_transport.checks import check_catalogue, check_settings, check_store
from mcp_transport.middleware import View
from tests.serving import redis_server
from tests.test_conf import LIMITS, WRONG

TOKENS = "tests.wire.tokens.KnownTokens"
HERE = "tests.test_checks"
MISSING = ["nowhere.at.All", "tests.missing.Thing", f"{HERE}.Missing", "nodots", ""]

collided = Shelf()


@collided.tool(name="count")
def count_orders() -> int:
    return 1


@collided.tool(name="count")
def count_customers() -> int:
    return 2


def sync_middleware(get_response: View) -> Any:
    return lambda request: sync_to_async(get_response)(request)


def found(conf: Any) -> list[CheckMessage]:
    with override_settings(MCP=conf):
        return [*check_settings(), *check_catalogue()]


def ids(conf: dict[str, Any]) -> list[str | None]:
    return [message.id for message in found({"AUTHENTICATORS": [TOKENS], **conf})]


@pytest.mark.parametrize("key", WRONG)
def test_manage_py_check_refuses_what_a_key_cannot_be(key: str) -> None:
    for value in WRONG[key]:
        with (
            override_settings(MCP={"AUTHENTICATORS": [TOKENS], key: value}),
            pytest.raises(SystemCheckError, match=f'E001.* MCP\\["{key}"\\] must '),
        ):
            call_command("check", tags=["security"])


@pytest.mark.parametrize("conf", [None, [], "x"])
def test_manage_py_check_refuses_settings_that_are_no_dictionary(conf: Any) -> None:
    with (
        override_settings(MCP=conf),
        pytest.raises(SystemCheckError, match="E001.* MCP must be a dictionary"),
    ):
        call_command("check", tags=["security"])


@pytest.mark.django_db  # Some of Django's own checks ask what the database can do.
def test_manage_py_check_accepts_what_is_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with override_settings(
        MCP={**settings.MCP, "ALLOWED_ORIGINS": ["https://a.example"]}
    ):
        call_command("check", fail_level="WARNING")
    assert "no issues" in capsys.readouterr().out


def test_everything_wrong_is_reported_at_once() -> None:
    wrong = dict.fromkeys((*LIMITS, "NAME", "HOOKS"), math.nan) | {"PAGESIZE": 1}
    messages = [m for m in found(wrong) if m.id == "mcp_transport.E001"]
    assert len(messages) == len(wrong)
    assert messages[-1].msg.startswith('MCP["PAGESIZE"] is unknown; there are ')


def test_nobody_being_let_in_is_warned_of() -> None:
    (warning,) = found({})
    assert (warning.id, warning.is_serious()) == ("mcp_transport.W001", False)
    assert 'MCP["AUTHENTICATORS"]' in str(warning.hint)
    assert found({"AUTHENTICATORS": [TOKENS]}) == []
    assert found({"ALLOW_ANONYMOUS": True}) == []


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "null",
        "a.example",
        "https://",
        "https://a.example/",
        "https://a.example/mcp",
        "https://*.a.example",
        "https://user@a.example",
        "https://a.example:99999",
        "https://a.example, https://b.example",
    ],
)
def test_an_origin_that_is_none_is_named(origin: str) -> None:
    good = ["https://a.example", "http://localhost:5173", "https://[::1]:8443"]
    (error,) = found({"AUTHENTICATORS": [TOKENS], "ALLOWED_ORIGINS": [*good, origin]})
    assert error.id == "mcp_transport.E003"
    assert error.msg == f'MCP["ALLOWED_ORIGINS"] holds {origin!r}, which is no origin.'
    assert error.is_serious()


@pytest.mark.parametrize("path", MISSING)
@pytest.mark.parametrize("key", ["AUTHENTICATORS", "MIDDLEWARE", "HOOKS"])
def test_a_path_that_cannot_be_imported_is_named(key: str, path: str) -> None:
    (error,) = found({"AUTHENTICATORS": [TOKENS], key: [path]})
    assert error.id == "mcp_transport.E004"
    assert error.is_serious()
    assert f"{path!r}, which cannot be imported" in error.msg


@pytest.mark.parametrize("path", MISSING[:-1])
def test_a_catalogue_that_cannot_be_imported_is_named(path: str) -> None:
    errors = found({"AUTHENTICATORS": [TOKENS], "CATALOGUE": path})
    assert errors[-1].id == "mcp_transport.E005"
    assert all(f"{path!r}, which cannot be imported" in e.msg for e in errors)


def test_sync_middleware_is_reported_with_the_way_out() -> None:
    path = f"{HERE}.sync_middleware"
    (error,) = found({"AUTHENTICATORS": [TOKENS], "MIDDLEWARE": [path]})
    assert error.id == "mcp_transport.E004"
    assert error.msg.startswith(f'{path} in MCP["MIDDLEWARE"] is not async')
    assert "asgiref.sync.markcoroutinefunction" in error.msg


@pytest.mark.django_db
def test_names_that_collide_are_reported() -> None:
    assert ids({"CATALOGUE": "tests.wire.catalogue.shelf"}) == []
    assert ids({"CATALOGUE": f"{HERE}.collided"}) == ["mcp_transport.E002"]
    with (
        override_settings(MCP={"CATALOGUE": f"{HERE}.collided"}),
        pytest.raises(SystemCheckError) as caught,
    ):
        call_command("check")
    assert "E002" in str(caught.value)
    assert "count" in str(caught.value)
    assert "Give one of them another name=." in str(caught.value)


def test_a_store_in_memory_has_no_server_to_ask() -> None:
    with override_settings(MCP={}):
        assert check_store() == []


def test_a_redis_is_asked_before_it_is_relied_on(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, override_settings(MCP={"STORE": server.url}):
        assert check_store() == []
        with Redis.from_url(server.url) as client:
            client.config_set("appendonly", "no")
            client.config_set("maxmemory", "100mb")
            client.config_set("maxmemory-policy", "allkeys-lru")
        messages = check_store()
        server.kill()
        (away,) = check_store()
    assert [message.id for message in messages] == ["mcp_transport.E006"] * 2
    said = " ".join(message.msg for message in messages)
    assert "maxmemory-policy noeviction" in said
    assert "appendonly yes" in said
    assert (away.id, away.level) == ("mcp_transport.W002", WARNING)


def test_settings_that_are_wrong_are_not_asked_about_twice() -> None:
    with override_settings(MCP={"STORE": "mysql://there"}):
        assert check_store() == []
