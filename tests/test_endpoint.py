from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import (
    AsyncRequestFactory,
    Client,
    RequestFactory,
    override_settings,
)

from mcp_transport.conf import get_server
from mcp_transport.endpoint import endpoint, get_unguarded, get_views, served, sse
from mcp_transport.endpoint import message as post_message
from mcp_transport.engine.caller import ANONYMOUS
from mcp_transport.engine.observing import Observer
from mcp_transport.transports.admission import NOBODY
from tests.rawasgi import HEADERS, LIST, message
from tests.wire.conftest import MCP


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    with override_settings(MCP=MCP, ROOT_URLCONF="tests.wire.urls"):
        yield


def wsgi(body: bytes = LIST, **headers: str | None) -> Any:
    """POST by way of WSGI, with Django's own checks against forgery."""
    sent = {**HEADERS, **{k.replace("_", "-"): v for k, v in headers.items()}}
    del sent["content-type"]
    return Client(enforce_csrf_checks=True).post(
        "/mcp",
        body,
        content_type="application/json",
        headers={name: value for name, value in sent.items() if value is not None},
    )


@pytest.mark.parametrize("view", [endpoint, sse, post_message])
def test_a_view_carries_its_credential_itself(view: Any) -> None:
    assert view.csrf_exempt is True
    assert view.login_required is False


def test_the_views_are_made_once_of_the_settings() -> None:
    views = get_views()
    assert get_views() is views
    with override_settings(MCP={**MCP, "NAME": "other"}):
        assert get_views() is not views


async def test_a_view_of_ones_own_may_let_callers_in_by_rules_of_its_own() -> None:
    view = get_unguarded()
    ours = ("authorization", "content-type")
    headers = {k: v for k, v in HEADERS.items() if v and k not in ours}
    for caller, status in ((None, 401), (ANONYMOUS, 200)):
        request: Any = AsyncRequestFactory().post(
            "/own", LIST, content_type="application/json", headers=headers
        )
        request.mcp_caller, request.mcp_credential = caller, NOBODY
        assert (await view(request)).status_code == status
    with override_settings(MCP={**MCP, "NAME": "other"}):
        assert get_unguarded() is not view


@pytest.mark.parametrize(
    ("transports", "names"),
    [
        (["streamable-http", "sse", "plain", "websocket"], ["mcp", "sse", "message"]),
        (["streamable-http"], ["mcp"]),
        (["plain"], ["mcp"]),
        (["sse"], ["sse", "message"]),
        (["websocket"], []),
        ([], []),
    ],
)
def test_what_is_switched_off_is_not_there(
    transports: list[str], names: list[str]
) -> None:
    with override_settings(MCP={**MCP, "TRANSPORTS": transports}):
        assert served() == names
        assert list(get_views()) == names
        statuses = {
            path: Client().options(f"/{path}").status_code
            for path in ("mcp", "sse", "message")
        }
    assert statuses == {
        path: 403 if path in names else 404 for path in ("mcp", "sse", "message")
    }


def test_wrong_settings_are_said_when_it_is_made() -> None:
    wrong = {**MCP, "PAGE_SIZE": 0, "MIDDLEWARE": "x"}
    with (
        override_settings(MCP=wrong),
        pytest.raises(ImproperlyConfigured, match="PAGE_SIZE.*; .*|MIDDLEWARE.*; .*"),
    ):
        get_views()


async def test_wrong_settings_stop_a_request() -> None:
    with (
        override_settings(MCP={**MCP, "NAME": None}),
        pytest.raises(ImproperlyConfigured, match='MCP\\["NAME"\\] must be a string'),
    ):
        await endpoint(RequestFactory().post("/mcp"))


def test_wsgi_serves_the_revision_without_sessions() -> None:
    answer = wsgi()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert "tools" in answer.json()["result"]


@pytest.mark.parametrize(
    ("headers", "status", "challenge"),
    [
        ({"authorization": None}, 401, 'Bearer realm="mcp"'),
        (
            {"authorization": "Bearer"},
            400,
            'Bearer realm="mcp", error="invalid_request", error_description='
            "\"The Authorization header must be 'Bearer', a space and one token.\"",
        ),
        ({"host": "evil.example"}, 403, None),
        ({"origin": "https://evil.example"}, 403, None),
    ],
)
def test_wsgi_is_guarded_too(
    headers: dict[str, str | None], status: int, challenge: str | None
) -> None:
    with override_settings(MIDDLEWARE=[]):
        answer = wsgi(LIST, **headers)
    assert (answer.status_code, answer.get("WWW-Authenticate")) == (status, challenge)


def test_wsgi_refuses_sessions_and_streams() -> None:
    initialize = wsgi(
        message("initialize", {"protocolVersion": "2025-06-18"}).replace(
            b"io.modelcontextprotocol/", b"x.example/"
        ),
        mcp_method=None,
        mcp_protocol_version=None,
    )
    assert initialize.status_code == 400
    assert initialize.json()["error"]["data"]["supported"] == ["2026-07-28"]
    for method in ("get", "delete"):
        sent = {name: value for name, value in HEADERS.items() if value is not None}
        answer = getattr(Client(), method)("/mcp", headers=sent)
        assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


class Noting(Observer):
    def __init__(self) -> None:
        self.refused: list[tuple[int, str]] = []

    def request_refused(self, status: int, reason: str) -> None:
        self.refused.append((status, reason))


OBSERVED = {**MCP, "OBSERVERS": [f"{__name__}.Noting"]}


def noted() -> list[tuple[int, str]]:
    (observer,) = get_server().observers
    assert isinstance(observer, Noting)
    return observer.refused


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (LIST, {"authorization": None}, 401, "a bearer token is needed"),
        (LIST, {"authorization": "Bearer nobody"}, 401, "the token is not valid"),
        (LIST, {"host": "evil.example"}, 403, "this Host is not served here"),
        (LIST, {"origin": "https://a.example"}, 403, "this Origin is not allowed"),
        (LIST, {"content_encoding": "gzip"}, 415, "Content-Encoding is not supported"),
        (LIST, {"accept": "text/html"}, 406, "Accept must list application/json and "),
        (b"x" * 1_048_577, {}, 413, "the body is too large"),
        (b"nonsense", {}, 400, "Parse error"),
        (LIST, {"mcp_method": "tools/call"}, 400, ""),
    ],
)
def test_observers_hear_of_who_is_refused(
    body: bytes, headers: dict[str, str | None], status: int, reason: str
) -> None:
    with override_settings(MCP=OBSERVED, MIDDLEWARE=[]):
        assert wsgi(body, **headers).status_code == status
        ((told, said),) = noted()
    assert told == status
    assert said.startswith(reason)


def test_observers_do_not_hear_of_an_answer_as_of_a_refusal() -> None:
    with override_settings(MCP=OBSERVED, MIDDLEWARE=[]):
        assert wsgi().status_code == 200
        missing = message("tools/none")
        assert wsgi(missing, mcp_method="tools/none").status_code == 404
        assert noted() == []


async def test_observers_hear_of_a_door_that_fails() -> None:
    with override_settings(MCP=OBSERVED):
        view = get_views()["mcp"]
        with pytest.raises(AttributeError):
            await view(None)  # type: ignore[arg-type]
        assert noted() == [(500, "internal error")]
