from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from mcp_transport import connect
from tests.serving import ROOT
from tests.tools_app.kinds import own_kind
from tests.tools_app.kinds.making import complaints, made, served
from tools_app.kinds.registry import DEFAULT, entry_kinds

OWN = "tests.tools_app.kinds.own_kind.Countdown"


def test_there_are_five_unless_a_project_says_else(settings: Any) -> None:
    assert list(entry_kinds()) == ["text", "file", "prompt", "preset", "query"]
    settings.MCP_ENTRY_KINDS = DEFAULT[:1]
    assert list(entry_kinds()) == ["text"]
    settings.MCP_ENTRY_KINDS = []
    assert list(entry_kinds()) == []


async def test_a_projects_own_kind_is_as_good_as_ours(settings: Any) -> None:
    settings.MCP_ENTRY_KINDS = [*DEFAULT, OWN]
    entry = made("countdown", "shop://sale", {"days": "21"}, title="Sale")
    async with connect(served(entry)) as client:
        read = await client.read_resource("shop://sale")
    assert read["contents"][0]["text"] == "3 weeks to go"
    assert "days" in complaints("countdown", {"days": 400})
    with pytest.raises(ValueError, match="whole weeks"):
        made("countdown", "shop://sale", {"days": 20})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("shop.kinds.Gone", "cannot be imported"),
        ("tests.tools_app.kinds.own_kind.CountdownForm", "is no class of"),
        (DEFAULT[0], "is taken"),
    ],
)
def test_what_is_no_kind_is_the_developers_mistake(
    settings: Any, path: str, said: str
) -> None:
    settings.MCP_ENTRY_KINDS = [*DEFAULT, path]
    with pytest.raises(ImproperlyConfigured, match=said):
        entry_kinds()


def test_the_kind_of_the_documentation_is_the_one_that_is_tested() -> None:
    page = (ROOT / "docs" / "entries.md").read_text("utf-8")
    code = Path(own_kind.__file__).read_text("utf-8")
    _, _, tested = code.partition('"""\n\n')
    assert tested in page
