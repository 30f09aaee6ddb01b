from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from django.test import override_settings

from mcp_transport.checks.limits import AT_MOST, LESS, check_limits
from mcp_transport.engine.limits import Limits


def found(**limits: Any) -> list[str]:
    with override_settings(MCP={key.upper(): value for key, value in limits.items()}):
        messages = check_limits()
    assert {message.id for message in messages} <= {"mcp_transport.E007"}
    return [f"{message.msg} {message.hint}" for message in messages]


def test_the_defaults_agree() -> None:
    assert found() == []
    assert found(**asdict(Limits())) == []


@pytest.mark.parametrize(("small", "large"), [pair[:2] for pair in AT_MOST])
def test_what_must_be_at_most_another_is(small: str, large: str) -> None:
    def said(amount: int) -> list[str]:
        begins = f'MCP["{small.upper()}"], {amount}, must be at most'
        return [s for s in found(**{small: amount, large: 100}) if s.startswith(begins)]

    assert said(100) == []
    (contradiction,) = said(101)
    assert f'MCP["{large.upper()}"], 100: ' in contradiction
    assert contradiction.endswith(f"Lower {small.upper()} or raise {large.upper()}.")


@pytest.mark.parametrize(("small", "large"), [pair[:2] for pair in LESS])
def test_what_must_be_less_than_another_is(small: str, large: str) -> None:
    assert found(**{small: 99, large: 100}) == []
    (said,) = found(**{small: 100, large: 100})
    assert f'MCP["{small.upper()}"], 100, must be less than' in said


def test_each_contradiction_is_said() -> None:
    assert len(found(session_age_s=60)) == 3
