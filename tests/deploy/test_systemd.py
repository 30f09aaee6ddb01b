"""The units of deploy/systemd, as systemd itself reads them."""

from __future__ import annotations

import configparser
import shlex
import subprocess
from pathlib import Path

import pytest

from deploy.cluster import APPLICATION, OPTIONS
from deploy.servers import DEPLOY, ROOT
from tests.deploy.serving import options_of

UNITS = DEPLOY / "systemd"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Install the units, with the project where it is."""
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/srv/mcp", str(ROOT))
        name = unit.name.replace("@.", "@8001.")
        (tmp_path / name).write_text(text)
    return tmp_path


def analyze(directory: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["systemd-analyze", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stderr


def test_systemd_has_nothing_to_say(installed: Path) -> None:
    said = analyze(
        installed, "verify", "--man=no", "./mcp@8001.service", "./mcp.target"
    )
    assert said == ""


def test_the_process_is_confined(installed: Path) -> None:
    """2.0 of 10 at most, where 10 is a service that may do everything."""
    analyze(
        installed,
        *("security", "--offline=yes", "--no-pager", "--threshold=20"),
        "./mcp@8001.service",
    )


def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(
        delimiters="=", comment_prefixes="#", strict=False, interpolation=None
    )
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((UNITS / "mcp@.service").read_text().replace("\\\n", " "))
    return unit["Service"]


def test_the_command_takes_its_options() -> None:
    python, *command = shlex.split(service()["ExecStart"].replace("%i", "8001"))
    assert python == "/srv/mcp/.venv/bin/python"
    given = options_of(command)
    assert given.application == APPLICATION
    assert (given.host, given.port) == ("127.0.0.1", 8001)
    assert set(OPTIONS) <= set(command)
    assert int(service()["TimeoutStopSec"]) > given.grace_s + 2


def test_it_may_hold_many_streams() -> None:
    assert int(service()["LimitNOFILE"]) >= 2 * 10_000
