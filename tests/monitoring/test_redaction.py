"""What is not shown of a message."""

from __future__ import annotations

import pytest

from mcp_transport.monitoring.redaction import REDACTED, redacted
from mcp_transport.monitoring.secrecy import MAX_KEY_CHARS, is_secret

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
TOKEN = "mcp_0123456789ab_" + "x" * 43


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "new_password",
        "pass",
        "passwords",
        "passwd",
        "passphrase",
        "token",
        "access_token",
        "accessToken",
        "refresh-token",
        "api_key",
        "apiKey",
        "X-API-Key",
        "client_secret",
        "secretKey",
        "Authorization",
        "Set-Cookie",
        "credentials",
        "private_key",
        "pin",
        "otp",
        "cvc",
    ],
)
def test_a_key_that_says_so_is_secret(key: str) -> None:
    assert is_secret(key)
    assert redacted({"a": [{key: "hunter2"}]}) == {"a": [{key: REDACTED}]}
    assert redacted({key: {"deeper": 1}}) == {key: REDACTED}


@pytest.mark.parametrize(
    "key",
    ["progressToken", "maxTokens", "name", "tokens", "passenger", "compass", "spinner"],
)
def test_a_key_that_does_not_is_shown(key: str) -> None:
    assert not is_secret(key)
    assert redacted({key: "x"}) == {key: "x"}


@pytest.mark.parametrize(
    "text",
    [
        "Bearer abcdefgh12345678",
        f"I was given bearer {TOKEN} by you",
        JWT,
        TOKEN,
        f"token-{TOKEN}",
        "ticket-abcdefghijklmnop",
    ],
)
def test_a_credential_is_left_out_wherever_it_stands(text: str) -> None:
    said = redacted(["before", text, {"a": text}])
    assert REDACTED in said[1]
    assert REDACTED in said[2]["a"]
    for secret in ("abcdefgh", "eyJ", "xxxx"):
        assert secret not in repr(said)


def test_long_texts_are_cut_with_what_they_hide() -> None:
    long = "a" * 190 + f" Bearer {TOKEN} " + "b" * 5000
    said = redacted(long)
    assert len(said) < 240
    assert "mcp_" not in said
    assert said.endswith(f"… ({len(long)} characters)")


def test_numbers_and_the_like_stay() -> None:
    assert redacted([1, 1.5, True, None, "x"]) == [1, 1.5, True, None, "x"]


def test_what_is_too_long_for_a_name_is_taken_for_one_of_a_secret() -> None:
    assert not is_secret("k" * MAX_KEY_CHARS)
    assert is_secret("k" * (MAX_KEY_CHARS + 1))
