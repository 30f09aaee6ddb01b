"""Who may be served by ``manage.py mcp stdio``; tests/stdio has real processes."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import override_settings

from mcp_transport import mcp_commands
from mcp_transport.engine.caller import ANONYMOUS, Caller
from mcp_transport.mcp_commands import parent_name

# The caller is looked up in a thread, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the test run its own standard input and output."""
    monkeypatch.setattr(mcp_commands, "reserve", lambda: (-1, -1))
    monkeypatch.delenv("MCP_TOKEN", raising=False)


def caller(user: str | None = None, token: str | None = None) -> Caller:
    return asyncio.run(mcp_commands._caller(user, token))


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def test_a_user_acts_with_all_scopes_and_their_own_permissions(ada: User) -> None:
    ada.user_permissions.add(Permission.objects.get(codename="view_user"))
    found = caller("ada")
    assert (found.subject, found.user, found.token_id) == (f"user:{ada.pk}", ada, None)
    assert found.has_scope("tools:call")
    assert found.permissions == {"auth.view_user"}
    assert not found.is_superuser


def test_a_superuser_acts_as_one() -> None:
    User.objects.create_superuser("root")
    assert caller("root").has_permission("auth.delete_user")


def test_anonymous_access_is_a_setting() -> None:
    with override_settings(MCP={"ALLOW_ANONYMOUS": True}):
        assert caller() is ANONYMOUS
    with pytest.raises(CommandError, match=r"--user NAME.*MCP_TOKEN"):
        caller()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "Nobody is named"),
        (["--user", "eve"], 'no user "eve"'),
        (["--user", "ada", "--expect-parent", "claude"], "The parent process is"),
    ],
)
def test_who_is_refused_hears_why(ada: User, options: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        call_command("mcp", "stdio", *options)


def test_the_token_is_taken_out_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MCP_TOKEN", "mcp_no_token")
    with pytest.raises(CommandError, match="MCP_TOKEN is not valid") as raised:
        call_command("mcp", "stdio")
    assert "MCP_TOKEN" not in os.environ
    assert "mcp_no_token" not in str(raised.value)


def test_closed_descriptors_are_said_to_be_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reserve() -> Any:
        raise OSError("standard input, output and error must be open")

    monkeypatch.setattr(mcp_commands, "reserve", reserve)
    with pytest.raises(CommandError, match="must be open"):
        call_command("mcp", "stdio")


# The parent.


def test_where_there_is_no_proc_ps_knows_the_parent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(path: str) -> str:
        raise FileNotFoundError(path)

    ps = tmp_path / "ps"
    ps.write_text(f'#!{shutil.which("sh")}\necho "/Applications/My App/Claude: $*"\n')
    ps.chmod(0o755)
    monkeypatch.setattr(os, "readlink", missing)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert parent_name() == f"Claude: -o comm= -p {os.getppid()}"


def test_the_parent_of_another_user_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hidden(path: str) -> str:
        raise PermissionError(path)

    monkeypatch.setattr(os, "readlink", hidden)
    with pytest.raises(CommandError, match="another user"):
        parent_name()
