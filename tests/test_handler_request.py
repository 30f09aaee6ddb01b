"""The request that the lean handler makes, beside Django's own."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest

from mcp_transport.handler import LeanRequest
from tests.rawasgi import http_scope

SCOPES: list[dict[str, Any]] = [
    {},
    {"path": "/app/mcp", "root_path": "/app"},
    {"path": "/mcp", "root_path": "/app"},
    {"method": "delete", "query": b"a=1&a=2&caf%C3%A9=%20"},
    {"client": None},
    {"headers": {"content-type": None}},
    {"query": b"x=%E9", "headers": {"content-type": "text/plain; charset=latin-1"}},
    {"headers": {"content-type": "text/plain; charset=nonsense; a=b"}},
    {"headers": {"cookie": "a=1; b=2", "x-latin": "caf\u00e9", "under_score": "1"}},
    {"headers": {"host": "Shop.Example:8443", "content-length": "4"}},
]
SEEN = [
    "COOKIES",
    "GET",
    "META",
    "body",
    "content_params",
    "content_type",
    "encoding",
    "headers",
    "is_secure",
    "method",
    "path",
    "path_info",
    "resolver_match",
    "scheme",
    "scope",
    "script_name",
    "get_full_path",
]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_request_is_what_djangos_own_is(scope: dict[str, Any]) -> None:
    made = http_scope(**scope)
    ours, theirs = LeanRequest(made, b"body"), ASGIRequest(made, BytesIO(b"body"))
    for name in SEEN:
        mine, other = getattr(ours, name), getattr(theirs, name)
        if callable(mine):
            mine, other = mine(), other()
        assert mine == other, name
    assert ours.read() == theirs.read() == b"body"


@pytest.mark.parametrize("scope", SCOPES)
def test_a_request_has_all_that_djangos_own_has(scope: dict[str, Any]) -> None:
    made = http_scope(**scope)
    ours, theirs = LeanRequest(made, b"a=1"), ASGIRequest(made, BytesIO(b"a=1"))
    assert [name for name in vars(theirs) if not hasattr(ours, name)] == []
    assert [name for name in dir(theirs) if name not in dir(ours)] == []


def test_what_costs_is_made_when_it_is_asked_for_and_once() -> None:
    request = LeanRequest(http_scope(query=b"a=1"), b"body")
    assert (request.method, request.path, request.body) == ("POST", "/mcp", b"body")
    for name in ("META", "GET", "content_type", "headers", "_stream", "_whole"):
        assert name not in vars(request)
    for name in ("META", "GET", "content_type", "headers"):
        assert getattr(request, name) is getattr(request, name)
        assert name in vars(request)


def test_a_form_can_be_read_and_what_is_set_stays() -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = LeanRequest(http_scope(headers=form), b"a=1&b=2")
    assert request.POST.dict() == {"a": "1", "b": "2"}
    request.META["REMOTE_ADDR"] = "10.0.0.1"
    assert request.META["REMOTE_ADDR"] == "10.0.0.1"
    request.encoding = "latin-1"
    assert request.encoding == "latin-1"
    request.close()


def test_a_scope_without_a_root_has_none() -> None:
    scope = http_scope()
    del scope["root_path"]
    request = LeanRequest(scope, b"")
    assert (request.script_name, request.path_info) == ("", "/mcp")
