from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mcp_transport.dotted import imported
from tests.wire.tokens import KnownTokens

TOKENS = "tests.wire.tokens.KnownTokens"


def test_a_class_is_called_and_anything_else_is_taken_as_it_is() -> None:
    assert isinstance(imported(TOKENS), KnownTokens)
    assert imported("tests.wire.tokens.CALLERS").keys() == {"alice-token", "bob-token"}
    with pytest.raises(ImproperlyConfigured) as caught:
        imported("tests.wire.tokens.Unknown")
    assert str(caught.value) == (
        "settings.MCP names 'tests.wire.tokens.Unknown', which cannot be imported: "
        'Module "tests.wire.tokens" does not define a "Unknown" attribute/class'
    )


def test_a_model_whose_app_is_not_installed_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = "from django.db import models\nclass Key(models.Model): ...\n"
    (tmp_path / "not_installed.py").write_text(model, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImproperlyConfigured, match="cannot be imported.*INSTALLED_APP"):
        imported("not_installed.Key")


def test_what_it_is_named_for_is_asked_of_it() -> None:
    assert isinstance(imported(TOKENS, "authenticate"), KnownTokens)
    with pytest.raises(
        ImproperlyConfigured, match=r"KnownTokens', which has no redeem\(\)"
    ):
        imported(TOKENS, "authenticate", "redeem")
