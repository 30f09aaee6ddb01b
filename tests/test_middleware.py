from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import markcoroutinefunction
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from mcp_transport import Caller
from mcp_transport.asgi import Application, mount
from mcp_transport.handler import LeanHandler
from mcp_transport.middleware import View, guarded
from mcp_transport.transports.admission import authenticate
from mcp_transport.transports.requests import authorization, wire_headers
from tests.rawasgi import Answer, ask
from tests.wire.conftest import MCP, MOUNTS
from tests.wire.tokens import ALICE

HERE = "tests.test_middleware"
NOBODY = 'Bearer realm="mcp"'
INVALID = (
    'Bearer realm="mcp", error="invalid_token", '
    'error_description="the token is not valid"'
)
MALFORMED = (
    'Bearer realm="mcp", error="invalid_request", error_description='
    "\"The Authorization header must be 'Bearer', a space and one token.\""
)
TOO_LONG = (
    'Bearer realm="mcp", error="invalid_request", error_description='
    '"The Authorization header is longer than 8192 characters."'
)
ALLOWED = ["https://app.example.com", "http://localhost:6274", "https://[2001:db8::1]"]
LOCAL = {"host": "localhost", "authorization": f"Bearer {ALICE}"}
# Whether each is allowed, where the above are.
ORIGINS: dict[str | None, bool] = {
    None: True,
    "https://app.example.com": True,
    "HTTPS://App.Example.com:443": True,
    "http://localhost:6274": True,
    "https://[2001:DB8:0::1]": True,
    "http://app.example.com": False,
    "https://app.example.com.evil.example": False,
    "https://app.example.com/": False,
    "https://app.example.com, https://evil.example": False,
    "http://localhost": False,
    "http://127.0.0.1:6274": False,
    "https://evil.example": False,
    "null": False,
    "": False,
}
HOSTS: dict[str | None, bool] = {
    "localhost": True,
    "TestServer:8000": True,
    "[::1]:8000": True,
    "evil.example": False,
    "localhost.evil.example": False,
    None: False,
}


@pytest.fixture(params=MOUNTS)
def application(request: pytest.FixtureRequest) -> Iterator[Application]:
    """Each mount, with none of the site's own middleware."""
    with override_settings(MIDDLEWARE=[], ROOT_URLCONF="tests.wire.urls", MCP=MCP):
        yield MOUNTS[request.param]()


def refused(answer: Answer, status: int, challenge: str | None) -> None:
    """Check the whole form of a refusal."""
    assert answer.status == status
    assert answer.values("content-type") == ["application/json"]
    assert answer.values("cache-control") == ["no-store"]
    assert answer.values("www-authenticate") == ([challenge] if challenge else [])
    said = answer.json()
    assert set(said) == {"jsonrpc", "error"}
    assert said["error"]["code"] == -32600


# Host and Origin.


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("host", HOSTS)
async def test_only_our_hosts_and_allowed_origins_get_in(
    application: Application, host: str | None, origin: str | None
) -> None:
    with override_settings(MCP={**MCP, "ALLOWED_ORIGINS": ALLOWED}):
        answer = await ask(application, headers={"host": host, "origin": origin})
    if HOSTS[host] and ORIGINS[origin]:
        assert answer.status == 200
        assert "tools" in answer.json()["result"]
        return
    refused(answer, 403, None)
    what = "this Host is not served here" if not HOSTS[host] else "this Origin is not"
    assert what in answer.json()["error"]["message"]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_unconfigured_every_origin_is_refused(
    application: Application, origin: str | None
) -> None:
    answer = await ask(application, headers={"origin": origin})
    assert answer.status == (200 if origin is None else 403)


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT"])
async def test_hosts_and_origins_are_checked_before_anything_else(
    application: Application, method: str
) -> None:
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
        answer = await ask(
            application, method=method, headers={"authorization": "Bearer", **headers}
        )
        refused(answer, 403, None)


@pytest.mark.parametrize("host", ["localhost,evil.example", "local host", "[::1", "@"])
async def test_a_host_that_is_none_is_refused_even_where_all_are_served(
    application: Application, host: str
) -> None:
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert (await ask(application, headers={"host": "any.example"})).status == 200
        refused(await ask(application, headers={"host": host}), 403, None)


async def test_allowed_hosts_are_those_of_the_settings_as_they_are_now(
    application: Application,
) -> None:
    async def status(host: str) -> int:
        return (await ask(application, headers={"host": host})).status

    assert await status("shop.example") == 403
    with override_settings(ALLOWED_HOSTS=["shop.example"]):
        assert await status("shop.example") == 200
        assert await status("localhost") == 403
    assert await status("shop.example") == 403
    with override_settings(ALLOWED_HOSTS=[]):
        assert await status("localhost") == 403
        with override_settings(DEBUG=True):
            assert await status("localhost") == 200
            assert await status("app.localhost:8000") == 200
            assert await status("shop.example") == 403
        assert await status("localhost") == 403


# Credentials.


@pytest.mark.parametrize(
    ("header", "status", "challenge"),
    [
        (None, 401, NOBODY),
        ("Basic dXNlcjpwYXNz", 401, NOBODY),
        ("Negotiate", 401, NOBODY),
        ("Bearer unknown", 401, INVALID),
        (f"Bearer {ALICE}x", 401, INVALID),
        (f"Bearer {ALICE.upper()}", 401, INVALID),
        (f"bearer {ALICE}", 200, None),
        ("", 400, MALFORMED),
        ("Bearer", 400, MALFORMED),
        ("Bearer ", 400, MALFORMED),
        (f"Bearer {ALICE} {ALICE}", 400, MALFORMED),
        (f"Bearer {ALICE}, Bearer {ALICE}", 400, MALFORMED),
        (f"Basic x, Bearer {ALICE}", 400, MALFORMED),
        (f'Bearer "{ALICE}"', 400, MALFORMED),
        ("Bearer \xff\xfe", 400, MALFORMED),
        ("Bearer a\x00b", 400, MALFORMED),
        ("\xff", 400, MALFORMED),
        ("Bearer " + "a" * 8186, 400, TOO_LONG),
    ],
)
async def test_challenges(
    application: Application, header: str | None, status: int, challenge: str | None
) -> None:
    answer = await ask(application, headers={"authorization": header})
    if status == 200:
        assert (answer.status, answer.values("www-authenticate")) == (200, [])
        return
    refused(answer, status, challenge)
    assert ALICE not in answer.body.decode()


async def test_two_authorization_headers_are_malformed(
    application: Application,
) -> None:
    # The names of headers differ in case for this dictionary alone.
    headers = {"authorization": f"Bearer {ALICE}", "Authorization": "Bearer other"}
    lowered = _lowering(application)
    refused(await ask(lowered, headers=headers), 400, MALFORMED)


def _lowering(application: Application) -> Application:
    async def lowered(scope: Any, receive: Any, send: Any) -> None:
        pairs = [(name.lower(), value) for name, value in scope["headers"]]
        await application({**scope, "headers": pairs}, receive, send)

    return lowered


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT"])
async def test_unconfigured_nobody_gets_in(
    application: Application, method: str
) -> None:
    with override_settings(MCP={}):
        for header, challenge in ((None, NOBODY), (f"Bearer {ALICE}", INVALID)):
            answer = await ask(
                application, method=method, headers={"authorization": header}
            )
            refused(answer, 401, challenge)


PEERS: dict[tuple[str, int] | None, bool] = {
    ("127.0.0.1", 5000): True,
    ("::1", 5000): True,
    ("::ffff:127.0.0.1", 5000): True,
    ("10.0.0.7", 5000): False,
    ("2001:db8::7", 5000): False,
    ("", 0): False,
    None: False,
}
LOOPBACK_HOSTS = {
    "localhost": True,
    "127.0.0.1:8000": True,
    "[::1]": True,
    "shop.example": False,
    "localhost.shop.example": False,
    "10.0.0.1": False,
}


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
async def test_the_anonymous_are_on_this_machine_and_mean_it(
    application: Application, peer: tuple[str, int] | None, host: str
) -> None:
    claims = {"x-forwarded-for": "127.0.0.1", "remote-addr": "127.0.0.1"}
    conf = {"ALLOW_ANONYMOUS": True, "CATALOGUE": MCP["CATALOGUE"]}
    with override_settings(MCP=conf, ALLOWED_HOSTS=["*"]):
        answer = await ask(
            application,
            headers={"authorization": None, "host": host, **claims},
            client=peer,
        )
    if PEERS[peer] and LOOPBACK_HOSTS[host]:
        assert answer.status == 200
    else:
        refused(answer, 401, NOBODY)


@pytest.mark.parametrize(
    ("header", "status", "challenge"),
    [("Bearer unknown", 401, INVALID), ("Bearer", 400, MALFORMED)],
)
async def test_a_bad_token_does_not_make_anybody_anonymous(
    application: Application, header: str, status: int, challenge: str
) -> None:
    with override_settings(MCP={**MCP, "ALLOW_ANONYMOUS": True}):
        answer = await ask(application, headers={"authorization": header})
    refused(answer, status, challenge)


async def test_options_needs_no_credentials_but_may_not_lie(
    application: Application,
) -> None:
    bare = await ask(application, method="OPTIONS", headers={"authorization": None})
    assert (bare.status, bare.body) == (204, b"")
    assert bare.values("allow") == ["GET, POST, DELETE, OPTIONS"]
    wrong = {"authorization": "Bearer unknown"}
    refused(await ask(application, method="OPTIONS", headers=wrong), 401, INVALID)


# Authenticators.

asked: list[str] = []


class Knows:
    """Knows its own name, and "both"; keeps who was asked."""

    name = ""

    async def authenticate(self, token: str) -> Caller | None:
        asked.append(self.name)
        return Caller(self.name) if token in (self.name, "both") else None


class First(Knows):
    name = "first"


class Second(Knows):
    name = "second"


class Failing:
    async def authenticate(self, token: str) -> Caller | None:
        raise RuntimeError(f"the secret text about {token}")


@pytest.mark.parametrize(
    ("token", "subject", "order"),
    [
        ("first", "first", ["first"]),
        ("second", "second", ["first", "second"]),
        ("both", "first", ["first"]),
        ("neither", None, ["first", "second"]),
    ],
)
async def test_the_first_authenticator_that_knows_a_token_names_its_caller(
    token: str, subject: str | None, order: list[str]
) -> None:
    asked.clear()
    named = [f"{HERE}.First", f"{HERE}.Second"]
    with override_settings(MCP={"AUTHENTICATORS": named}):
        caller = await authenticate(token)
    assert (caller and caller.subject) == subject
    assert asked == order


async def test_the_view_learns_who_calls() -> None:
    async def view(request: HttpRequest) -> HttpResponseBase:
        caller = getattr(request, "mcp_caller", None)
        return HttpResponse(caller.subject if caller else "nobody")

    with override_settings(MCP=MCP):
        application = LeanHandler(lambda: guarded(view), 1000)
        assert (await ask(application)).body == b"alice"
        anybody = {"authorization": None}
        answer = await ask(application, method="OPTIONS", headers=anybody)
        assert answer.body == b"nobody"


async def test_an_authenticator_that_raises_says_nothing_to_the_peer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with override_settings(MCP={**MCP, "AUTHENTICATORS": [f"{HERE}.Failing"]}):
        answer = await ask(mount(get_asgi_application()))
    assert (answer.status, answer.values("content-type")) == (500, ["application/json"])
    assert answer.json()["error"]["message"].endswith("internal error")
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (record.name, record.getMessage()) == (
        "mcp_transport",
        "the endpoint failed",
    )
    assert "the secret text" in str(record.exc_info)


class Crashing:
    @sensitive_variables()
    async def authenticate(self, token: str) -> Caller | None:
        raise RuntimeError("crashed")


@pytest.fixture
def reports() -> Iterator[list[str]]:
    """What Django would mail to the administrators."""
    kept: list[str] = []

    def keep(request: HttpRequest, **_: Any) -> None:
        kind, error, traceback = sys.exc_info()
        reporter = ExceptionReporter(request, kind, error, traceback)
        kept.append(reporter.get_traceback_html())

    got_request_exception.connect(keep)
    yield kept
    got_request_exception.disconnect(keep)


@override_settings(
    MIDDLEWARE=[],
    ROOT_URLCONF="tests.wire.urls",
    MCP={**MCP, "AUTHENTICATORS": [f"{HERE}.Crashing"]},
)
async def test_under_django_the_report_of_an_error_is_without_the_token(
    reports: list[str],
) -> None:
    answer = await ask(get_asgi_application(), headers={"x-other": "is seen"})
    assert answer.status == 500
    assert b"crashed" not in answer.body
    (report,) = reports
    for shown in (
        "crashed",
        "OriginMiddleware",
        "await authenticate(self._token, self._address)",
        "is seen",
    ):
        assert shown in report
    assert ALICE not in report


async def test_the_token_does_not_go_on_to_the_view() -> None:
    seen: list[Any] = []

    async def view(request: HttpRequest) -> HttpResponseBase:
        seen.append((dict(wire_headers(request)), authorization(request)))
        return HttpResponse()

    with override_settings(MCP=MCP):
        await ask(LeanHandler(lambda: guarded(view), 1000))
        await guarded(view)(RequestFactory().get("/mcp", headers=LOCAL))
    for headers, value in seen:
        assert headers["host"] == "localhost"
        assert "authorization" not in headers
        assert value == f"Bearer {ALICE}"
    assert len(seen) == 2


# MCP["MIDDLEWARE"].


def outer(get_response: View) -> View:
    return _tagging(get_response, "outer")


def inner(get_response: View) -> View:
    return _tagging(get_response, "inner")


def _tagging(get_response: View, tag: str) -> View:
    async def middleware(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        response["X-Tags"] = f"{response.get('X-Tags', '')}{tag} "
        response.set_cookie(tag, "1")
        return response

    return middleware


def unused(get_response: View) -> View:
    raise MiddlewareNotUsed


def sync_only(get_response: View) -> Any:
    def middleware(request: HttpRequest) -> Any:
        return get_response(request)

    return middleware


class NotMarked:
    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return await self.get_response(request)


class Marked(NotMarked):
    def __init__(self, get_response: View) -> None:
        super().__init__(get_response)
        markcoroutinefunction(self)


async def view(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse("seen")


async def test_the_projects_middleware_stands_around_the_guards_in_its_order() -> None:
    paths = [f"{HERE}.{name}" for name in ("outer", "unused", "Marked", "inner")]
    with override_settings(MCP={**MCP, "MIDDLEWARE": paths}):
        application = LeanHandler(lambda: guarded(view), 1000)
        served = await ask(application)
        stopped = await ask(application, headers={"host": "evil.example"})
    assert (served.status, served.body) == (200, b"seen")
    assert stopped.status == 403
    for answer in (served, stopped):
        assert answer.values("x-tags") == ["inner outer "]
        assert answer.values("set-cookie") == ["inner=1; Path=/", "outer=1; Path=/"]


@pytest.mark.parametrize("name", ["sync_only", "NotMarked"])
def test_middleware_that_is_not_async_is_refused_with_the_way_out(name: str) -> None:
    with (
        override_settings(MCP={**MCP, "MIDDLEWARE": [f"{HERE}.{name}"]}),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        guarded(view)
    assert str(caught.value) == (
        f'{HERE}.{name} in MCP["MIDDLEWARE"] is not async: make it async, and mark it '
        "with asgiref.sync.markcoroutinefunction; a sync one would need a thread for "
        "every open stream"
    )


def test_middleware_that_cannot_be_imported_is_named() -> None:
    with (
        override_settings(MCP={**MCP, "MIDDLEWARE": ["nowhere.At"]}),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        guarded(view)
    assert str(caught.value) == (
        "MCP[\"MIDDLEWARE\"] names 'nowhere.At', which cannot be imported"
    )


# django-cors-headers, in MCP["MIDDLEWARE"].

PAGE = "https://app.example.com"
CORS: dict[str, Any] = {
    "MIDDLEWARE": [],
    "ROOT_URLCONF": "tests.wire.urls",
    "CORS_ALLOWED_ORIGINS": [PAGE, "https://other.example.com"],
    "CORS_ALLOW_HEADERS": ["authorization", "mcp-protocol-version"],
    "CORS_EXPOSE_HEADERS": ["mcp-session-id", "www-authenticate"],
    "MCP": {
        **MCP,
        "ALLOWED_ORIGINS": [PAGE],
        "MIDDLEWARE": ["corsheaders.middleware.CorsMiddleware"],
    },
}


@pytest.fixture(params=MOUNTS)
def cors(request: pytest.FixtureRequest) -> Iterator[Application]:
    with override_settings(**CORS):
        yield MOUNTS[request.param]()


async def test_a_preflight_is_answered_before_anybody_asks_for_a_token(
    cors: Application,
) -> None:
    answer = await ask(
        cors,
        b"",
        method="OPTIONS",
        headers={
            "authorization": None,
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        },
    )
    assert (answer.status, answer.body) == (200, b"")
    assert answer.values("access-control-allow-origin") == [PAGE]
    (allowed,) = answer.values("access-control-allow-headers")
    assert allowed == "authorization, mcp-protocol-version"
    assert answer.values("content-length") == ["0"]
    assert answer.values("www-authenticate") == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"authorization": None}, 401), ({"host": "evil.example"}, 403)],
)
async def test_a_page_may_read_every_reply(
    cors: Application, headers: dict[str, str | None], status: int
) -> None:
    answer = await ask(cors, headers={"origin": PAGE, **headers})
    assert answer.status == status
    assert answer.values("access-control-allow-origin") == [PAGE]
    (exposed,) = answer.values("access-control-expose-headers")
    assert exposed == "mcp-session-id, www-authenticate"


async def test_what_the_browser_is_told_does_not_let_anybody_in(
    cors: Application,
) -> None:
    answer = await ask(cors, headers={"origin": "https://other.example.com"})
    refused(answer, 403, None)
    answer = await ask(cors, headers={"origin": "https://evil.example"})
    refused(answer, 403, None)
    assert answer.values("access-control-allow-origin") == []
