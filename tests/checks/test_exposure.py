from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.test import override_settings

from mcp_transport.checks.exposure import (
    HTTPS,
    check_anonymous,
    check_debug,
    check_hosts,
    check_https,
    check_proxies,
)

LOCAL = ["localhost", "127.0.0.1", "[::1]", ".localhost"]
PUBLIC = [*LOCAL, "mcp.example.com"]
ANONYMOUS = {"ALLOW_ANONYMOUS": True}


def ids(check: Callable[..., list[CheckMessage]], **settings: Any) -> list[str]:
    """Return what a check finds, each with a hint, under DEBUG off unless given."""
    with override_settings(**{"DEBUG": False, "MCP": {}, **settings}):
        messages = check()
    assert all(message.hint for message in messages)
    return [str(message.id).removeprefix("mcp_transport.") for message in messages]


@pytest.mark.parametrize("hosts", [[], ["*"], ["mcp.example.com", "*"]])
def test_every_host_and_none_are_refused(hosts: list[str]) -> None:
    assert ids(check_hosts, ALLOWED_HOSTS=hosts) == ["E008"]
    assert ids(check_hosts, ALLOWED_HOSTS=hosts, DEBUG=True) == []
    assert ids(check_hosts, ALLOWED_HOSTS=hosts, MCP={"TRANSPORTS": []}) == []


def test_hosts_that_are_named_are_accepted() -> None:
    assert ids(check_hosts, ALLOWED_HOSTS=PUBLIC) == []


def test_anonymous_access_is_for_this_machine_alone() -> None:
    assert ids(check_anonymous, ALLOWED_HOSTS=PUBLIC) == []
    assert ids(check_anonymous, ALLOWED_HOSTS=LOCAL, MCP=ANONYMOUS) == []
    assert ids(check_anonymous, ALLOWED_HOSTS=PUBLIC, MCP=ANONYMOUS) == ["E014"]
    assert ids(check_anonymous, ALLOWED_HOSTS=["*"], MCP=ANONYMOUS) == ["E014"]
    assert ids(check_anonymous, ALLOWED_HOSTS=PUBLIC, MCP=ANONYMOUS, DEBUG=True) == []


@pytest.mark.parametrize("debug", [True, False])
def test_anonymous_access_does_not_go_with_a_proxy(debug: bool) -> None:
    conf = {**ANONYMOUS, "TRUSTED_PROXIES": 1}
    assert ids(check_anonymous, ALLOWED_HOSTS=LOCAL, MCP=conf, DEBUG=debug) == ["E014"]


def test_debugging_is_for_this_machine_alone() -> None:
    assert ids(check_debug, ALLOWED_HOSTS=PUBLIC, DEBUG=True) == ["W003"]
    assert ids(check_debug, ALLOWED_HOSTS=["*"], DEBUG=True) == ["W003"]
    assert ids(check_debug, ALLOWED_HOSTS=LOCAL, DEBUG=True) == []
    assert ids(check_debug, ALLOWED_HOSTS=[], DEBUG=True) == []
    assert ids(check_debug, ALLOWED_HOSTS=PUBLIC) == []


def test_something_has_to_say_that_tokens_come_over_https() -> None:
    assert ids(check_https) == ["W007"]


@pytest.mark.parametrize("name", HTTPS)
def test_each_setting_of_https_says_so(name: str) -> None:
    value = ("HTTP_X_FORWARDED_PROTO", "https") if "HEADER" in name else True
    assert ids(check_https, **{name: value}) == []


def test_a_proxy_that_is_trusted_is_counted() -> None:
    header = ("HTTP_X_FORWARDED_PROTO", "https")
    assert ids(check_proxies) == []
    assert ids(check_proxies, SECURE_PROXY_SSL_HEADER=header) == ["W008"]
    one = {"TRUSTED_PROXIES": 1}
    assert ids(check_proxies, SECURE_PROXY_SSL_HEADER=header, MCP=one) == []
