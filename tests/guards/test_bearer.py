from __future__ import annotations

import pytest

from mcp_transport.guards.bearer import (
    MAX_HEADER_CHARS,
    MalformedCredentials,
    challenge,
    credentials,
)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER abc", "abc"),
        ("Bearer   abc", "abc"),
        ("Bearer abc \t", "abc"),
        ("Bearer a-b.c_d~e+f/g==", "a-b.c_d~e+f/g=="),
        ("Bearer " + "a" * (MAX_HEADER_CHARS - 7), "a" * (MAX_HEADER_CHARS - 7)),
    ],
)
def test_reads_one_token_whatever_the_case_of_the_scheme(
    header: str, token: str
) -> None:
    assert credentials(header) == token


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic dXNlcjpwYXNz",
        "Negotiate",
        'Digest username="bearer", realm="a, b", uri="/mcp"',
        "Bearerx abc",
        "DPoP abc",
    ],
)
def test_another_scheme_counts_as_no_token(header: str | None) -> None:
    assert credentials(header) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        " Bearer abc",
        "Bearer",
        "Bearer ",
        "Bearer\tabc",
        "Bearer abc def",
        "Bearer abc,def",
        "Bearer abc, Bearer abc",
        "Bearer abc,Bearer def",
        "Bearer abc, Basic dXNlcg==",
        "Basic dXNlcg==, Bearer abc",
        "Basic dXNlcg==,bearer abc",
        "Bearer =",
        "Bearer a=b",
        'Bearer "abc"',
        "Bearer abc\n",
        "Bearer abc\r\nX-Other: 1",
        "Bearer ab\x00c",
        "Bearer abcé",
        "Bearer \uff41\uff42",
        ",Bearer abc",
        "Bearer " + "a" * (MAX_HEADER_CHARS - 6),
        "Basic " + "a" * MAX_HEADER_CHARS,
    ],
)
def test_anything_else_is_malformed(header: str) -> None:
    with pytest.raises(MalformedCredentials) as caught:
        credentials(header)
    assert "abc" not in str(caught.value)


def test_challenge_without_a_token_names_no_error() -> None:
    assert challenge() == "Bearer"
    assert (
        challenge(
            resource_metadata="https://h/.well-known/oauth-protected-resource/mcp",
            scope="tools:call resources:read",
        )
        == 'Bearer scope="tools:call resources:read", '
        'resource_metadata="https://h/.well-known/oauth-protected-resource/mcp"'
    )


def test_challenge_after_a_refused_token_names_the_error() -> None:
    assert (
        challenge(realm="mcp", error="invalid_token", description="It has expired.")
        == 'Bearer realm="mcp", error="invalid_token", '
        'error_description="It has expired."'
    )


def test_challenge_escapes_the_realm() -> None:
    assert challenge(realm='the "big" \\ one') == (
        'Bearer realm="the \\"big\\" \\\\ one"'
    )


@pytest.mark.parametrize(
    "attributes",
    [
        {"realm": "a\r\nSet-Cookie: x=1"},
        {"realm": "caf\u00e9"},
        {"error": 'invalid"token'},
        {"error": ""},
        {"description": "back\\slash"},
        {"description": "two\nlines"},
        {"scope": "two  spaces"},
        {"scope": " tools:call"},
        {"scope": 'a"b'},
        {"scope": ""},
        {"resource_metadata": 'https://h/" error="x'},
        {"resource_metadata": "https://h/a b"},
    ],
)
def test_challenge_refuses_what_could_forge_an_attribute(
    attributes: dict[str, str],
) -> None:
    with pytest.raises(ValueError, match=r"The challenge's \w+ .* characters"):
        challenge(**attributes)
