from __future__ import annotations

import io
import json
import logging
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mcp_transport.engine.catalogue import Shelf
from tests.tools_app.transfer.conftest import (
    COUNT,
    HOURS,
    PRESET,
    Json,
    entry,
    everything,
    file,
)


def run(*words: str) -> str:
    out = StringIO()
    call_command("mcp", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.json"


def exported(*keys: str) -> list[Json]:
    entries: list[Json] = json.loads(run("export", *keys))["entries"]
    return entries


def test_what_one_stage_exports_another_imports(here: Shelf, path: Path) -> None:
    path.write_bytes(file(HOURS, PRESET, COUNT))
    assert run("import", str(path)) == (
        "created    resources docs://hours: title, spec\n"
        "created    tools count_open: spec\n"
        "changed    tools count_orders: description, tags, timeout_s\n"
        "2 created, 1 changed.\n"
    )
    assert {e["key"] for e in exported()} == {e["key"] for e in (HOURS, PRESET, COUNT)}
    path.write_text(run("export"))
    assert run("import", str(path)) == "3 unchanged.\n"


def test_an_export_has_what_was_said_here_or_what_is_asked_for(here: Shelf) -> None:
    assert exported() == []
    (plain,) = exported("letter")
    assert plain == {"kind": "prompts", "key": "letter", "source": "code"}
    with pytest.raises(CommandError, match="no entry lettre, x in the catalogue"):
        run("export", "letter", "x", "lettre")


def test_what_is_said_of_code_that_is_gone_stays_here(here: Shelf, path: Path) -> None:
    path.write_bytes(file(COUNT))
    run("import", str(path))
    here.remove("tools", "count_orders")
    run("sync")
    assert exported() == []
    assert [e["key"] for e in exported("count_orders")] == ["count_orders"]


def test_a_dry_run_tells_and_changes_nothing(here: Shelf, path: Path) -> None:
    path.write_bytes(file(HOURS))
    before = everything()
    said = run("import", str(path), "--dry-run")
    assert "created    resources docs://hours: title, spec" in said
    assert "Nothing was changed" in said
    assert everything() == before


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_an_import_that_is_refused_fails_and_says_why(
    here: Shelf, path: Path, options: list[str]
) -> None:
    path.write_bytes(file(HOURS, {**COUNT, "rate": "often"}))
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("mcp", "import", str(path), *options, stdout=out)
    assert "refused    tools count_orders: rate: 'often' is no rate" in out.getvalue()
    assert exported() == []


def test_a_file_that_is_none_is_refused(here: Shelf, path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run("import", str(path))
    path.write_text("{}")
    with pytest.raises(CommandError, match="no export"):
        run("import", str(path))


def test_a_file_can_come_by_standard_input(
    here: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file(HOURS))))
    assert "1 created" in run("import", "-")
    assert entry("docs://hours").title == "Hours"


def test_what_a_command_imports_is_in_the_log(
    here: Shelf, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(file(HOURS))
    with caplog.at_level(logging.INFO, "tools_app.transfer"):
        run("import", str(path), "--dry-run")
        assert not caplog.messages
        run("import", str(path))
    assert caplog.messages == [
        "By command, resources docs://hours was imported, created: title, spec."
    ]
