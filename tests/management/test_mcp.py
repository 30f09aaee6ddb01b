"""What holds for every sub-command of ``manage.py mcp``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from mcp_transport import mcp_commands
from mcp_transport.management.commands.mcp import Command
from mcp_transport.runner import command as runner
from tests.serving import ROOT

# What Windows has not.
WITHOUT_POSIX = """
import signal, sys
sys.modules["resource"] = None
del signal.SIGCHLD, signal.pthread_sigmask
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def manage(*words: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own."""
    program = ["-m", "django"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *program, *words],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("words", [["sync"], ["tokens", "list"]])
def test_what_manage_py_takes_may_stand_behind_the_sub_command(
    words: list[str],
) -> None:
    parser = Command().create_parser("manage.py", "mcp")
    behind = parser.parse_args(
        [*words, "--settings", "x.y", "-v", "2", "--traceback", "--skip-checks"]
    )
    before = parser.parse_args(["--settings", "x.y", "--no-color", *words])
    assert (behind.settings, behind.verbosity) == ("x.y", 2)
    assert behind.traceback
    assert behind.skip_checks
    assert not behind.no_color
    assert (before.settings, before.verbosity, before.no_color) == ("x.y", 1, True)


def test_settings_behind_the_sub_command_are_those_that_count() -> None:
    done = manage("mcp", "tokens", "list", "--settings", "nowhere.to_be_found")
    assert "No module named 'nowhere'" in done.stderr


def test_a_database_that_was_not_migrated_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "fresh.py").write_text(
        "from tests.settings import *\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3',"
        f" 'NAME': {str(tmp_path / 'fresh.sqlite3')!r}}}}}\n",
        "utf-8",
    )
    fresh = ["--settings", "fresh", "--pythonpath", str(tmp_path)]
    create = ["mcp", "tokens", "create", "laptop", "--user", "ada", "--scope", "*"]
    for words in (create, ["mcp", "tokens", "list"], ["mcp", "prune"]):
        done = manage(*words, *fresh)
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: The database cannot be used: ")
        assert "manage.py migrate" in done.stderr
        assert "Traceback" not in done.stderr


def test_tokens_are_made_where_nothing_can_be_served() -> None:
    done = manage("mcp", "tokens", "create", "--help", code=WITHOUT_POSIX)
    assert done.returncode == 0, done.stderr
    assert "--scope" in done.stdout


@pytest.mark.parametrize("words", [["serve"], ["stdio"]])
def test_what_needs_posix_says_so(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (runner, mcp_commands):
        monkeypatch.setattr(module, "os", SimpleNamespace(name="nt"))
    with pytest.raises(CommandError, match=f"mcp {words[0]} needs a POSIX system"):
        call_command("mcp", *words)
