"""What is in the wheel, and what is not."""

from __future__ import annotations

import email
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

from tests.serving import ROOT

DATA = ("py.typed", "templates", "static", "locale")


def sources(package: str) -> set[str]:
    """Return every file of a package that an installed one needs."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / package).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and (path.suffix in {".py", ".lua"} or not set(DATA).isdisjoint(path.parts))
    }


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return email.message_from_string(archive.read(name).decode())


def test_the_wheel_holds_the_two_packages_whole_and_nothing_else(wheel: Path) -> None:
    assert contents(wheel) == sources("mcp_transport") | sources("tools_app")


def test_the_wheel_holds_what_is_not_python_too(wheel: Path) -> None:
    held = contents(wheel)
    assert {"mcp_transport/py.typed", "tools_app/py.typed"} <= held
    assert "mcp_transport/stores/redis/lua/append.lua" in held
    assert "mcp_transport/static/mcp_transport/client.js" in held
    assert "mcp_transport/static/mcp_transport/client.d.ts" in held
    assert any(name.startswith("tools_app/templates/") for name in held)
    assert any(name.startswith("tools_app/migrations/0001_") for name in held)


def test_the_metadata_say_what_is_needed(wheel: Path) -> None:
    said = metadata(wheel)
    needed = said.get_all("Requires-Dist", [])
    core = sorted(line for line in needed if "extra ==" not in line)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert said["Name"] == "django-mcp-transport"
    assert said["License-Expression"] == "BSD-3-Clause"
    assert said["Requires-Python"] == ">=3.11"
    assert len(core) == len(project["dependencies"]) == 5
    assert set(said.get_all("Provides-Extra", [])) == {
        *("channels", "cors", "daphne", "dev", "jwt", "metrics", "postgres"),
        *("redis", "rest", "site", "tracing"),
    }


def test_the_extra_of_the_site_is_the_sum_of_the_others() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    parts = {"channels", "cors", "daphne", "metrics", "redis", "rest"}
    summed = {need for part in parts for need in extras[part]}
    assert summed < set(extras["site"])
    assert len(set(extras["site"]) - summed) == 1  # what serves static files
