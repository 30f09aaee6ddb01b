from __future__ import annotations

import hashlib
import hmac
import re

import pytest
from django.test import override_settings

from tools_app import credential

KEY = "k" * 50


def made_under(key: str, text: str) -> bytes:
    pepper = hmac.new(key.encode(), credential._PURPOSE, hashlib.sha256).digest()
    return hmac.new(pepper, text.encode(), hashlib.sha256).digest()


def test_the_text_of_a_token_tells_its_public_id() -> None:
    public_id = credential.new_public_id()
    text = credential.new_token_text(public_id)
    assert re.fullmatch(rf"mcp_{public_id}_[0-9A-Za-z]{{43}}", text)
    assert credential.public_id_of(text) == public_id


def test_no_two_texts_are_alike() -> None:
    texts = {credential.new_token_text("0" * 12) for _ in range(1000)}
    assert len(texts) == 1000
    assert len({credential.new_public_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mcp_",
        "mcp_aaaaaaaaaaaa",
        "mcp_aaaaaaaaaaaa_" + "A" * 42,
        "mcp_aaaaaaaaaaaa_" + "A" * 44,
        "mcp_aaaaaaaaaaa_" + "A" * 44,
        "mcp_AAAAAAAAAAAA_" + "A" * 43,
        "MCP_aaaaaaaaaaaa_" + "A" * 43,
        "mcp_aaaaaaaaaaaa-" + "A" * 43,
        "mcp_aaaaaaaaaaaa_" + "A" * 42 + "-",
        "mcp_aaaaaaaaaaaa_" + "A" * 42 + "\u0660",
        "mcp_aaaaaaaaaaaa_" + "A" * 42 + "\ud800",
        "mcp_aaaaaaaaaaaa_" + "A" * 43 + "\n",
        "mcp_aaaaaaaaaaa\x00_" + "A" * 43,
    ],
)
def test_another_text_is_no_token(text: str) -> None:
    assert credential.public_id_of(text) is None


@override_settings(MCP={}, SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=["old", "older"])
def test_digests_are_keyed_by_the_secret_key_then_by_its_fallbacks() -> None:
    made = [credential.digest(pepper, "text") for pepper in credential.peppers()]
    assert made == [made_under(key, "text") for key in (KEY, "old", "older")]


@override_settings(MCP={"TOKEN_PEPPER": "p" * 32}, SECRET_KEY=KEY)
def test_a_pepper_of_its_own_comes_first_and_the_secret_key_stays_good() -> None:
    made = [credential.digest(pepper, "text") for pepper in credential.peppers()]
    assert made == [made_under(key, "text") for key in ("p" * 32, KEY)]


@override_settings(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=["old"])
def test_peppers_that_were_in_use_are_good_and_make_no_digest() -> None:
    given = {"TOKEN_PEPPER": "p" * 32, "TOKEN_PEPPER_FALLBACKS": ["q" * 32]}
    for mcp, keys in [
        (given, ["p" * 32, KEY, "old", "q" * 32]),
        ({**given, "TOKEN_PEPPER": None}, [KEY, "old", "q" * 32]),
    ]:
        with override_settings(MCP=mcp):
            made = [credential.digest(p, "text") for p in credential.peppers()]
        assert made == [made_under(key, "text") for key in keys]


def test_a_pepper_can_be_used_again_and_again() -> None:
    pepper = credential.peppers()[0]
    first = credential.digest(pepper, "text")
    assert credential.digest(pepper, "other") != first
    assert credential.digest(pepper, "text") == first
