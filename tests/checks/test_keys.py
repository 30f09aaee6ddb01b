from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from mcp_transport.checks.catalogue import check_catalogue
from mcp_transport.checks.keys import check_settings
from mcp_transport.conf import Conf
from mcp_transport.engine.limits import Limits
from mcp_transport.middleware import View
from tests.test_conf import LIMITS, WRONG

TOKENS = "tests.wire.tokens.KnownTokens"
HERE = "tests.checks.test_keys"
MISSING = ["nowhere.at.All", "tests.missing.Thing", f"{HERE}.Missing", "nodots", ""]


def sync_middleware(get_response: View) -> Any:
    return lambda request: sync_to_async(get_response)(request)


def found(conf: Any) -> list[CheckMessage]:
    with override_settings(MCP=conf):
        return check_settings()


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
    assert messages[-1].msg.startswith(
        'MCP["PAGESIZE"] is unknown; did you mean "PAGE_SIZE"?'
    )
    (error,) = (m for m in found({"COLOUR": 1}) if m.id == "mcp_transport.E001")
    assert error.msg.startswith('MCP["COLOUR"] is unknown; there are ALLOW_ANONYMOUS, ')


NOT_NUMBERS = [None, True, False, "1", [1]]
NOT_FINITE = [math.nan, math.inf, -math.inf]
# What no number may be, and what no rate may be.
NUMBERS = [*NOT_NUMBERS, *NOT_FINITE, -1, 10**400]
RATES = [*NUMBERS, 0, "0/m", "-1/m", "nan/s", "inf/s", "1/0s", f"{10**400}/s"]


def bad_numbers() -> Iterator[tuple[str, Any]]:
    """Yield each key that is a number or a rate, with each of what it must not be."""
    conf = Conf()
    for key in fields(Limits):
        yield from ((key.name.upper(), value) for value in [*NUMBERS, 0])
    for key in fields(Conf):
        default = getattr(conf, key.name)
        if type(default) is int:
            yield from ((key.name.upper(), value) for value in NUMBERS)
        if "Rate" in str(key.type):
            yield from ((key.name.upper(), value) for value in RATES)


def test_every_kind_of_limit_is_tried() -> None:
    tried = {key for key, _ in bad_numbers()}
    assert tried > {"CALL_TIMEOUT_S", "THREADS", "TRUSTED_PROXIES", "LIST_TTL_MS"}
    assert tried > {"RATE_PER_TOKEN", "RATE_PER_SESSION", "FAILURES_PER_ADDRESS"}
    assert tried <= set(WRONG)


@pytest.mark.parametrize(("key", "value"), list(bad_numbers()))
def test_a_limit_that_cannot_be_one_is_refused_with_the_way_out(
    key: str, value: Any
) -> None:
    (error,) = found({"AUTHENTICATORS": [TOKENS], key: value})
    assert (error.id, error.is_serious()) == ("mcp_transport.E001", True)
    assert error.msg.startswith(f'MCP["{key}"] must be ')
    assert str(error.hint).startswith(f'Take MCP["{key}"] out to have its default, ')


@pytest.mark.parametrize(
    ("conf", "hint"),
    [
        ({"PAGE_SIZE": 0}, 'Take MCP["PAGE_SIZE"] out to have its default, 100, or'),
        ({"FAILURES_PER_ADDRESS": 0}, "default, '60/m', or correct it."),
        ({"RATE_PER_TOKEN": 0}, "default, '', or correct it."),
        ({"authenticators": []}, "Take it out, or correct its name."),
        ({"NAME": ""}, "default, 'django', or correct it."),
        ({"PAGESIZE": 1}, "Take it out, or correct its name."),
        ({"LIMITS": 1}, "Take it out, or correct its name."),
        ({1: 1}, "Take it out, or correct its name."),
        ([], 'Write MCP = {"AUTHENTICATORS": [...]}.'),
    ],
)
def test_the_hint_says_what_to_write(conf: Any, hint: str) -> None:
    errors = [m for m in found(conf) if m.id == "mcp_transport.E001"]
    assert [hint in str(error.hint) for error in errors] == [True]


def test_nobody_being_let_in_is_warned_of() -> None:
    (warning,) = found({})
    assert (warning.id, warning.is_serious()) == ("mcp_transport.W001", False)
    assert 'MCP = {"AUTHENTICATORS": ["tools_app.tokens' in str(warning.hint)
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
@pytest.mark.parametrize("key", ["AUTHENTICATORS", "MIDDLEWARE", "HOOKS", "OBSERVERS"])
def test_a_path_that_cannot_be_imported_is_named(key: str, path: str) -> None:
    (error,) = found({"AUTHENTICATORS": [TOKENS], key: [path]})
    assert error.id == "mcp_transport.E004"
    assert error.is_serious()
    assert f"{path!r}, which cannot be imported" in error.msg


@pytest.mark.parametrize("path", MISSING)
def test_a_catalogue_that_cannot_be_imported_is_named_once(path: str) -> None:
    conf = {"AUTHENTICATORS": [TOKENS], "CATALOGUE": path}
    (error,) = found(conf)
    assert error.id == ("mcp_transport.E004" if path else "mcp_transport.E001")
    with override_settings(MCP=conf):
        assert check_catalogue() == []


@pytest.mark.parametrize(
    ("key", "lacks"),
    [
        ("AUTHENTICATORS", "authenticate"),
        ("HOOKS", "__call__"),
        ("OBSERVERS", "request_served"),
        ("CATALOGUE", "page"),
        ("ORIGINS", "current"),
        ("TICKETS", "redeem"),
    ],
)
def test_what_is_not_what_it_is_named_for_is_said_to_be_so(
    key: str, lacks: str
) -> None:
    path = "tests.wire.tokens.CALLERS"
    value = [path] if key in ("AUTHENTICATORS", "HOOKS", "OBSERVERS") else path
    (error,) = found({"AUTHENTICATORS": [TOKENS], key: value})
    assert error.id == "mcp_transport.E004"
    assert error.msg == f"settings.MCP names {path!r}, which has no {lacks}()"


def test_sync_middleware_is_reported_with_the_way_out() -> None:
    path = f"{HERE}.sync_middleware"
    (error,) = found({"AUTHENTICATORS": [TOKENS], "MIDDLEWARE": [path]})
    assert error.id == "mcp_transport.E004"
    assert error.msg.startswith(f'{path} in MCP["MIDDLEWARE"] is not async')
    assert "asgiref.sync.markcoroutinefunction" in error.msg


@pytest.mark.parametrize("by", ["setting", "environment"])
def test_debug_mode_is_for_development(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf: dict[str, Any] = {"AUTHENTICATORS": [TOKENS]}
    if by == "setting":
        conf["DEBUG_WIRE"] = True
    else:
        monkeypatch.setenv("DEBUG_TRANSPORT", "1")
    (error,) = found(conf)
    assert error.id == "mcp_transport.E017"
    assert error.is_serious()
    with override_settings(DEBUG=True):
        assert found(conf) == []


def test_a_token_for_metrics_that_nobody_counts_is_reported() -> None:
    conf = {"AUTHENTICATORS": [TOKENS], "METRICS_TOKEN": "x" * 32}
    (warning,) = found(conf)
    assert warning.id == "mcp_transport.W009"
    counted = {**conf, "OBSERVERS": ["mcp_transport.monitoring.Metrics"]}
    assert found(counted) == []
