"""The MCP Inspector's command line, in both eras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import peers
from tests.clients.expected import seen_at, without_state
from tests.serving import Served

ERAS = {"legacy": "2025-11-25", "modern": "2026-07-28"}


class Inspector:
    """Runs one method of the Inspector's after the other, with a home of its own."""

    def __init__(self, served: Served, token: str, era: str, home: Path) -> None:
        self.environ = {"HOME": str(home)}
        self.command: list[str | Path] = [
            peers.node_program("inspector", "mcp-inspector"),
            *("--cli", served.url, "--transport", "http"),
            *("--protocol-era", era, "--header", f"Authorization: Bearer {token}"),
        ]

    def __call__(self, method: str, *options: str, code: int = 0) -> dict[str, Any]:
        ran = peers.run(
            [*self.command, "--method", method, *options],
            environ=self.environ,
            timeout_s=60,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        answer: dict[str, Any] = without_state(json.loads(ran.stdout))
        return answer


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def inspect(era: str, shop: Served, token: str, tmp_path: Path) -> Inspector:
    return Inspector(shop, token, era, tmp_path)


def test_it_lists_everything(inspect: Inspector, era: str) -> None:
    expected = seen_at(ERAS[era])
    assert inspect("tools/list", "--strict")["tools"] == expected["tools"]
    assert inspect("resources/list")["resources"] == expected["resources"]
    templates = inspect("resources/templates/list")["resourceTemplates"]
    assert templates == expected["templates"]
    assert inspect("prompts/list")["prompts"] == expected["prompts"]


def test_it_calls_reads_and_gets(inspect: Inspector, era: str) -> None:
    expected = seen_at(ERAS[era])
    quoted = inspect(
        *("tools/call", "--tool-name", "quote"),
        *("--tool-arg", "item=cake", "--tool-arg", "count=3"),
    )
    assert quoted == expected["calls"]["quote"]
    assert inspect("resources/read", "--uri", "shop://logo") == expected["logo"]
    assert inspect("resources/read", "--uri", "shop://items/tea") == expected["item"]
    letter = inspect(
        "prompts/get", "--prompt-name", "letter", "--prompt-args", "customer=Ada"
    )
    assert letter == expected["letter"]
