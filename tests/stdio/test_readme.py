"""The configurations in README.md, as they are shown, start a server that answers."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import peers
from tests.serving import ROOT

SECTION = "## Connect a local program (stdio)"
PROJECT = "/path/to/mysite"
CLIENT = ROOT / "tests" / "clients" / "programs" / "stdio.py"
MANAGE = """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.update({environ!r})
sys.path.insert(0, {root!r})
execute_from_command_line(sys.argv)
"""

Entry = dict[str, Any]


def shown(language: str) -> str:
    """Return the one block of a language in the section, as it is written."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, rest = text.partition(f"\n{SECTION}\n")
    section = rest.split("\n## ")[0]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)
    assert isinstance(block, str)
    return block


def of_claude_desktop() -> Entry:
    entry: Entry = json.loads(shown("json"))["mcpServers"]["shop"]
    return entry


def of_claude_code() -> Entry:
    """Read ``claude mcp add NAME --env KEY=VALUE -- COMMAND`` as claude does."""
    words = shlex.split(shown("sh").replace("\\\n", " "))
    at = words.index("--")
    assert words[: at - 1] == ["claude", "mcp", "add", "shop", "--env"]
    command, *args = words[at + 1 :]
    return {
        "command": command,
        "args": args,
        "env": dict([words[at - 1].split("=", 1)]),
    }


@pytest.fixture
def project(tmp_path: Path, environ: dict[str, str]) -> Path:
    """A project with an environment of its own, where a reader has theirs."""
    directory = tmp_path / "mysite"
    directory.mkdir()
    (directory / ".venv").symlink_to(sys.prefix)
    manage = MANAGE.format(environ=environ, root=str(ROOT))
    (directory / "manage.py").write_text(manage)
    return directory


@pytest.mark.parametrize("entry", [of_claude_desktop, of_claude_code])
def test_it_starts_a_server_for_the_official_client(
    entry: Any, project: Path, token: str
) -> None:
    as_shown = json.dumps(entry())
    assert as_shown.count(PROJECT) == 2
    assert as_shown.count("YOUR_TOKEN") == 1
    ours = as_shown.replace(PROJECT, str(project)).replace("YOUR_TOKEN", token)
    met = peers.run(
        [peers.python("python-sdk-1.30"), CLIENT, ours], timeout_s=60, cwd=project
    )
    assert met.returncode == 0, met.stderr
    seen = json.loads(met.stdout)
    assert "whoami" in seen["tools"]
    assert seen["whoami"] == f"token:{token.split('_')[1]} ada"
    assert "Traceback" not in met.stderr


def test_both_say_the_same() -> None:
    assert of_claude_desktop() == of_claude_code()
