"""What of a call's arguments is kept, and what never is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools_app.ledger.calls import served
from tools_app.credential import new_public_id, new_token_text
from tools_app.ledger.record import recorded
from tools_app.ledger.redaction import (
    CUT,
    HIDDEN,
    Redaction,
    shown,
    without,
)

PLAIN = Redaction({}, 2048)


def secrets(arguments: dict[Any, Any]) -> list[Any]:
    return list(PLAIN.secrets(("pay",), arguments))


def kept(arguments: dict[Any, Any], **rules: list[str]) -> dict[str, Any]:
    return Redaction(rules, 2048).redacted(("pay",), arguments)


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "newPassword",
        "new_passwd",
        "secret",
        "client-secret",
        "token",
        "accessToken",
        "refresh_tokens",
        "api_key",
        "apiKey",
        "X-API-Key",
        "x-anything",
        "Authorization",
        "authorisation",
        "Cookie",
        "set-cookie",
        "private_key",
        "credentials",
        "sessionId",
        "card_number",
        "pin",
        "PIN",
        "cvv",
        "otp",
        "pwd",
        "auth",
    ],
)
def test_a_key_that_names_a_secret_hides_its_value(key: str) -> None:
    assert kept({key: "hunter22", "deep": [{"er": {key: ["hunter22"]}}]}) == {
        key: HIDDEN,
        "deep": [{"er": {key: HIDDEN}}],
    }


@pytest.mark.parametrize(
    "key", ["name", "shipping", "pinned", "author", "compass", "keyboard", "key", "s"]
)
def test_any_other_key_does_not(key: str) -> None:
    assert kept({key: 7}) == {key: 7}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"use {new_token_text(new_public_id())} now", f"use {HIDDEN} now"),
        ("Authorization: Bearer abcdefghijk.lmn", f"Authorization: {HIDDEN}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2lnbmF0dXJl", HIDDEN),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\nX", HIDDEN),
        ("https://ada:geheim@example.com/x", f"https://{HIDDEN}example.com/x"),
        (
            "https://a.example/?q=1&api_key=geheim",
            f"https://a.example/?q=1&api_key={HIDDEN}",
        ),
        ("https://a.example/?page=2", "https://a.example/?page=2"),
        ("mcp_transport_is_a_long_name", "mcp_transport_is_a_long_name"),
        ("the basics", "the basics"),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800x", "?x"),
    ],
)
def test_what_looks_like_a_credential_is_hidden_wherever_it_stands(
    text: str, left: str
) -> None:
    assert shown(text) == left
    assert kept({"note": text}) == {"note": left}


def test_a_project_says_what_else_is_hidden() -> None:
    arguments = {"iban": "DE1", "Amount": 3, "to": {"iban_old": "DE2"}}
    hidden = {"iban": HIDDEN, "Amount": 3, "to": {"iban_old": HIDDEN}}
    assert kept(arguments, pay=["iban*"]) == hidden
    assert kept(arguments, **{"p*": ["IBAN", "amount"]}) == {
        "iban": HIDDEN,
        "Amount": HIDDEN,
        "to": {"iban_old": "DE2"},
    }
    assert kept(arguments, other=["*"]) == arguments
    assert kept(arguments, **{"*": ["*"]}) == dict.fromkeys(arguments, HIDDEN)


def test_what_is_binary_is_told_by_its_size() -> None:
    assert shown("QUJD" * 100) == "(binary, 400 characters)"
    url = "data:image/png;base64," + "QUJD" * 100
    assert shown(url) == f"(binary, {len(url)} characters)"
    prose = "some words " * 40
    assert shown(prose).startswith("some words some")
    assert kept({"raw": b"123", "none": None, "yes": True}) == {
        "raw": "(bytes)",
        "none": None,
        "yes": True,
    }


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert shown("é" * 600) == "é" * 500 + f"{CUT} (600 characters)"
    # A credential behind the cut does not begin before it.
    text = "x" * 490 + " Bearer " + "abcdefgh" * 10
    assert "abc" not in shown(text)


def test_numbers_that_no_database_takes_are_told_in_words() -> None:
    assert kept({"a": float("inf"), "b": 1 << 5000, "c": 1 << 200}) == {
        "a": "inf",
        "b": "(a number of 5001 bits)",
        "c": 1 << 200,
    }


def test_what_is_deep_or_cyclic_ends() -> None:
    cyclic: dict[str, Any] = {}
    cyclic["self"] = cyclic
    assert CUT in json.dumps(kept(cyclic), ensure_ascii=False)


def test_beyond_the_largest_size_arguments_are_cut() -> None:
    redaction = Redaction({}, 200)
    for arguments in (
        {"ids": list(range(1000))},
        {f"key{n}": n for n in range(1000)},
        {"a": "é" * 400, "b": "x" * 400},
        {"a": [[[["x" * 50] * 9] * 9] * 9]},
    ):
        left = redaction.redacted(("pay",), arguments)
        assert len(json.dumps(left)) <= 200
        assert CUT in json.dumps(left, ensure_ascii=False)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=30), inner),
)


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=30), values), st.integers(64, 500))
def test_whatever_comes_is_json_of_no_more_than_so_many_bytes(
    arguments: dict[str, Any], max_bytes: int
) -> None:
    left = Redaction({}, max_bytes).redacted(("pay",), arguments)
    text = json.dumps(left, allow_nan=False)
    assert len(text) <= max_bytes
    assert "\\u0000" not in text
    text.encode()


def test_an_error_that_repeats_a_secret_does_not_tell_it() -> None:
    arguments = {"password": "hunter22", "api_keys": ["k-123", {"n": "k-456"}]}
    error = "'hunter22' is not a number; nor are k-123 and k-456. Ada may not."
    record = recorded(served(arguments=arguments, error=error), PLAIN)
    assert record.error == (
        f"'{HIDDEN}' is not a number; nor are {HIDDEN} and {HIDDEN}. Ada may not."
    )
    assert without("a is a", ["a", None, True]) == "a is a"
    assert without("1234 is short", [1234]) == f"{HIDDEN} is short"
    assert without("anything", [[str(n) for n in range(101)]]) == HIDDEN


def test_an_error_tells_no_secret_that_was_not_kept_for_want_of_room() -> None:
    arguments = {"note": ["a word " * 60] * 9, "login": {"password": "hunter22"}}
    record = recorded(served(arguments=arguments, error="Not hunter22."), PLAIN)
    assert "login" not in record.fields()["arguments"]
    assert record.fields()["error"] == f"Not {HIDDEN}."


def test_an_error_tells_no_part_of_a_long_secret_nor_another_spelling() -> None:
    pem = "\n".join(f"line {n} of a 'key' \u00e9" for n in range(500))
    for error in (pem, repr(pem), json.dumps(pem), f"No such key: {pem!r}."):
        record = recorded(served(arguments={"secret": pem}, error=error), PLAIN)
        assert HIDDEN in record.fields()["error"]
        assert "line" not in record.fields()["error"]


def test_what_a_long_name_says_in_its_last_part_counts() -> None:
    key = "x" * 200 + "password"
    assert kept({key: "hunter22"}) == {key[:100]: HIDDEN}
    assert secrets({key: "hunter22"}) == ["hunter22"]


def test_secrets_are_found_in_what_is_deep_or_cyclic() -> None:
    deep: dict[str, Any] = {"pin": 1234}
    for _ in range(60):
        deep = {"in": [deep]}
    deep["self"] = deep
    assert secrets(deep) == [1234]


def test_a_rule_counts_for_what_is_known_by_several_names() -> None:
    rules = Redaction({"transfer": ["iban"]}, 2048)
    arguments = {"iban": "DE1"}
    assert rules.redacted(("pay_rent", "transfer"), arguments) == {"iban": HIDDEN}
    assert rules.redacted(("pay_rent",), arguments) == arguments


def test_all_rules_count_where_nothing_was_found_of_that_name() -> None:
    rules = Redaction({"transfer": ["iban"]}, 2048)
    record = recorded(served("Transfer", arguments={"iban": "DE1"}, known_as=()), rules)
    assert record.fields()["arguments"] == {"iban": HIDDEN}
