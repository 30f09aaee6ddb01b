from __future__ import annotations

from typing import Any

import pytest
from corsheaders.defaults import default_headers
from django.test import override_settings

from mcp_transport import Shelf
from mcp_transport.checks.cors import check_cors
from mcp_transport.guards.cors import ALLOW_HEADERS, ALLOW_METHODS, EXPOSE_HEADERS

HERE = "tests.checks.test_cors"
PLAIN = "corsheaders.middleware.CorsMiddleware"
OURS = "mcp_transport.cors.CorsMiddleware"
URLS = "tests.wire.urls"
ELSEWHERE = r"^/(?!(mcp|sse|message)/?$)"
COMPLETE: dict[str, Any] = {
    "CORS_ALLOW_METHODS": ALLOW_METHODS,
    "CORS_ALLOW_HEADERS": ALLOW_HEADERS,
    "CORS_EXPOSE_HEADERS": EXPOSE_HEADERS,
}

regional = Shelf()
regional.tool(
    name="orders",
    input_schema={
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    },
)(lambda **arguments: "none")


def found(
    inside: str | None = None, around: str | None = None, **settings: Any
) -> dict[str, str]:
    conf = {"MIDDLEWARE": [inside] if inside else [], **settings.pop("MCP", {})}
    middleware = [around] if around else []
    with override_settings(MCP=conf, MIDDLEWARE=middleware, **settings):
        messages = check_cors()
    assert all(message.hint for message in messages)
    return {
        str(message.id).removeprefix("mcp_transport."): message.msg
        for message in messages
    }


def test_ours_needs_no_settings() -> None:
    assert found(inside=OURS) == {}
    assert found(inside=OURS, around=PLAIN, ROOT_URLCONF="tests.urls") == {}


def test_without_cors_nothing_is_said() -> None:
    assert found(CORS_ALLOW_ALL_ORIGINS=True) == {}
    assert found(inside="nowhere.At", around="tests.wire.tokens.KnownTokens") == {}


def test_ours_does_not_stand_around_a_whole_site() -> None:
    assert set(found(around=OURS)) == {"E016"}
    assert set(found(inside=OURS, around=OURS)) == {"E016"}


@pytest.mark.parametrize("place", ["inside", "around"])
def test_the_plain_one_may_be_written_out(place: str) -> None:
    assert found(**{place: PLAIN}, ROOT_URLCONF=URLS, **COMPLETE) == {}
    with_defaults = {
        **COMPLETE,
        "CORS_ALLOW_HEADERS": [
            *default_headers,
            *(name.title() for name in ALLOW_HEADERS),
        ],
    }
    assert found(**{place: PLAIN}, ROOT_URLCONF=URLS, **with_defaults) == {}


@pytest.mark.parametrize("place", ["inside", "around"])
def test_the_plain_one_lacks_what_the_protocol_needs(place: str) -> None:
    said = found(**{place: PLAIN}, ROOT_URLCONF=URLS, CORS_EXPOSE_HEADERS=["a"])
    assert set(said) == {"W004"}
    partly = {**COMPLETE, "CORS_ALLOW_METHODS": ["GET"]}
    said = found(**{place: PLAIN}, ROOT_URLCONF=URLS, **partly)
    assert said["W004"] == (
        "CORS_ALLOW_METHODS lacks DELETE, OPTIONS, POST: browsers could not use the "
        "endpoint."
    )


def test_the_plain_one_lacks_the_headers_of_tools() -> None:
    shelf = {"CATALOGUE": f"{HERE}.regional"}
    said = found(inside=PLAIN, MCP=shelf, **COMPLETE)
    assert "CORS_ALLOW_HEADERS lacks mcp-param-region:" in said["W004"]
    assert found(inside=OURS, MCP=shelf) == {}
    headers = [*ALLOW_HEADERS, "mcp-param-region"]
    complete = {**COMPLETE, "CORS_ALLOW_HEADERS": headers}
    assert found(inside=PLAIN, MCP=shelf, **complete) == {}


@pytest.mark.parametrize("place", ["inside", "around"])
def test_a_wildcard_is_refused_where_it_rules_the_endpoint(place: str) -> None:
    anyone = {"CORS_ALLOW_ALL_ORIGINS": True, "ROOT_URLCONF": URLS, **COMPLETE}
    assert set(found(**{place: PLAIN}, **anyone)) == {"E013"}
    pattern = {"CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://.*\.example\.com$"]}
    allowed = {**pattern, "ROOT_URLCONF": URLS, **COMPLETE}
    assert set(found(**{place: PLAIN}, **allowed)) == {"W006"}


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"ROOT_URLCONF": URLS, "CORS_URLS_REGEX": ELSEWHERE},
        {"ROOT_URLCONF": "tests.urls"},
    ],
)
def test_what_a_site_allows_elsewhere_is_its_own_affair(
    elsewhere: dict[str, Any],
) -> None:
    assert (
        found(inside=OURS, around=PLAIN, CORS_ALLOW_ALL_ORIGINS=True, **elsewhere) == {}
    )


@pytest.mark.parametrize("inside", [OURS, PLAIN])
def test_cors_is_not_done_twice(inside: str) -> None:
    said = found(inside=inside, around=PLAIN, ROOT_URLCONF=URLS, **COMPLETE)
    assert set(said) == {"W005"}
