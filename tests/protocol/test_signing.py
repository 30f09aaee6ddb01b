from __future__ import annotations

import base64
import hashlib
import hmac
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_transport.protocol.signing import MIN_KEY_BYTES, Signer

OLD = b"an old key of enough bytes"
NEW = b"a new key of enough bytes"
URL_SAFE = set(string.ascii_letters + string.digits + "-_.")


def test_the_format_is_pinned() -> None:
    token = Signer([OLD]).sign("cursor", b"hello?>")
    own_key = hmac.new(OLD, b"cursor", hashlib.sha256).digest()
    mac = hmac.new(own_key, b"v1.aGVsbG8_Pg", hashlib.sha256).digest()
    encoded = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    assert token == f"v1.aGVsbG8_Pg.{encoded}"


@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_signed_verifies(payload: bytes, purpose: str) -> None:
    signer = Signer([OLD])
    token = signer.sign(purpose, payload)
    assert signer.verify(purpose, token) == payload
    assert set(token) <= URL_SAFE


def test_a_token_serves_its_purpose_only() -> None:
    signer = Signer([OLD])
    token = signer.sign("cursor", b"x")
    assert signer.verify("cursor", token) == b"x"
    assert signer.verify("Cursor", token) is None
    assert signer.verify("", token) is None


def test_every_change_of_a_token_is_noticed() -> None:
    signer = Signer([OLD])
    token = signer.sign("p", b"payload")
    for at in range(len(token)):
        for other in {"A", "B", ".", "=", "\n", "\u00e9"} - {token[at]}:
            assert signer.verify("p", token[:at] + other + token[at + 1 :]) is None
        assert signer.verify("p", token[:at]) is None
        assert signer.verify("p", token[:at] + token[at + 1 :]) is None
        assert signer.verify("p", token[:at] + "." + token[at:]) is None


@pytest.mark.parametrize(
    "extra", ["=", "==", "\n", " ", ".", "A", "-TAMPERED", "\ud800"]
)
def test_a_token_has_one_spelling_only(extra: str) -> None:
    signer = Signer([OLD])
    token = signer.sign("p", b"payload")
    assert signer.verify("p", token + extra) is None
    assert signer.verify("p", extra + token) is None


def test_a_token_of_another_version_is_not_ours() -> None:
    signer = Signer([OLD])
    _, payload, mac = signer.sign("p", b"payload").split(".")
    assert signer.verify("p", f"v2.{payload}.{mac}") is None
    assert signer.verify("p", f"{payload}.{mac}") is None


@given(st.text())
def test_no_text_makes_verify_raise(token: str) -> None:
    assert Signer([OLD]).verify("p", token) is None


def test_a_mac_that_is_right_in_its_leading_bits_is_not_enough() -> None:
    signer = Signer([OLD])
    head, _, mac = signer.sign("p", b"x").rpartition(".")
    # 43 characters carry 258 bits: the last one has two that mean nothing.
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    twin = mac[:-1] + alphabet[alphabet.index(mac[-1]) ^ 1]
    pad = "="
    assert base64.urlsafe_b64decode(twin + pad) == base64.urlsafe_b64decode(mac + pad)
    assert signer.verify("p", f"{head}.{twin}") is None


def test_keys_are_rotated_without_losing_tokens() -> None:
    before, during, after = Signer([OLD]), Signer([NEW, OLD]), Signer([NEW])
    token = before.sign("p", b"x")
    assert during.verify("p", token) == b"x"
    assert after.verify("p", token) is None
    assert during.sign("p", b"x") == after.sign("p", b"x") != token


def test_keys_that_cannot_protect_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Signer([])
    with pytest.raises(ValueError, match="16 bytes or more"):
        Signer([OLD, b"x" * (MIN_KEY_BYTES - 1)])
    with pytest.raises(TypeError, match=r"\[key\]"):
        Signer(OLD)  # type: ignore[arg-type]
    assert Signer([b"x" * MIN_KEY_BYTES]).sign("p", b"").startswith("v1..")
