from __future__ import annotations

import pytest
from django.test import AsyncRequestFactory, RequestFactory, override_settings

from mcp_transport.transports.requests import (
    accepts,
    authorization,
    body_of,
    unacceptable,
    wire_headers,
)

BOTH = "application/json, text/event-stream"


def test_headers_are_read_alike_from_both_kinds_of_request() -> None:
    secrets = {"Authorization": "Bearer secret", "Cookie": "sessionid=secret"}
    sent = {"Mcp-Name": "a", "Accept": "x", **secrets}
    for factory in (RequestFactory(), AsyncRequestFactory()):
        request = factory.post(
            "/mcp", b"{}", content_type="application/json", headers=sent
        )
        headers = wire_headers(request)
        assert (headers["mcp-name"], headers["accept"]) == ("a", "x")
        assert headers["content-type"] == "application/json"
        assert "secret" not in str(headers)
        assert authorization(request) == "Bearer secret"
        assert wire_headers(request) is headers


def test_repeated_headers_are_joined() -> None:
    request = AsyncRequestFactory().get("/mcp")
    pairs = [(b"a", b"1"), (b"b", b"\xe9"), (b"a", b"2")]
    request.scope = {**request.scope, "headers": pairs}
    assert wire_headers(request) == {"a": "1,2", "b": "\u00e9"}
    assert authorization(request) is None


@pytest.mark.parametrize(("size", "taken"), [(0, True), (100, True), (101, False)])
def test_a_body_has_a_largest_size(size: int, taken: bool) -> None:
    request = RequestFactory().post("/", b"x" * size, content_type="text/plain")
    assert body_of(request, 100) == (b"x" * size if taken else None)


def test_a_body_that_django_refuses_is_too_large() -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        request = RequestFactory().post("/", b"x" * 11, content_type="text/plain")
        assert body_of(request, 100) is None


@pytest.mark.parametrize(
    ("accept", "wanted", "accepted"),
    [
        ("text/html", "text/html", True),
        ("text/html;q=0.5", "text/html", True),
        ("text/*", "text/html", True),
        ("*/*", "text/html", True),
        ("application/*", "text/html", False),
        ("", "text/html", False),
    ],
)
def test_a_media_type_is_accepted_by_name_or_by_range(
    accept: str, wanted: str, accepted: bool
) -> None:
    assert accepts(accept, wanted) == accepted


@pytest.mark.parametrize(
    ("content_type", "encoding", "accept", "status"),
    [
        ("application/json", "identity", BOTH, None),
        ("Application/JSON ; charset=utf-8", "IDENTITY", BOTH.upper(), None),
        ("", "identity", BOTH, 415),
        ("text/plain", "identity", BOTH, 415),
        ("application/json", "gzip", BOTH, 415),
        ("application/json", "", BOTH, 415),
        ("application/json", "identity", "application/json", 406),
    ],
)
def test_what_a_post_must_say_of_itself(
    content_type: str, encoding: str, accept: str, status: int | None
) -> None:
    refused = unacceptable(content_type, encoding, accept)
    assert (None if refused is None else refused[0]) == status
