from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from tools_app.models import AllowedOrigin

pytestmark = pytest.mark.django_db


def allow(origin: str) -> AllowedOrigin:
    allowed = AllowedOrigin(origin=origin)
    allowed.full_clean()
    allowed.save()
    return allowed


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.COM:443", "https://app.example.com"),
        ("http://localhost:6274", "http://localhost:6274"),
        ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_origin_is_kept_in_one_form(written: str, kept: str) -> None:
    assert str(allow(written)) == kept
    assert AllowedOrigin.objects.get().origin == kept


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "null",
        "app.example.com",
        "https://app.example.com/",
        "https://*.example.com",
        "https://user@app.example.com",
        "https://app.example.com:99999",
        f"https://{'a' * 512}.example.com",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError) as caught:
        allow(origin)
    assert set(caught.value.message_dict) == {"origin"}


def test_the_same_origin_written_otherwise_is_there_already() -> None:
    allow("https://app.example.com")
    with pytest.raises(ValidationError, match="already exists"):
        allow("HTTPS://APP.example.com:443")


def test_an_origin_outlives_who_allowed_it() -> None:
    root = User.objects.create_superuser("root")
    allowed = allow("https://app.example.com")
    AllowedOrigin.objects.filter(pk=allowed.pk).update(created_by=root)
    root.delete()
    allowed.refresh_from_db()
    assert allowed.created_by is None
