"""``manage.py mcp export`` and ``manage.py mcp import``.

Who runs a command is no user of the site, so what an import changes is not in the
admin's history but in the log, under ``tools_app.transfer``.
"""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from tools_app.transfer.document import BadDocument, exported, read, written
from tools_app.transfer.exporting import said_here, with_keys
from tools_app.transfer.importing import (
    Action,
    Outcome,
    Refused,
    bring_in,
    preview,
)

if TYPE_CHECKING:
    from argparse import _SubParsersAction

STDIN = "-"

logger = logging.getLogger("tools_app.transfer")


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    export = subparsers.add_parser(
        "export", help="Write entries of the catalogue as JSON."
    )
    export.add_argument(
        "keys",
        nargs="*",
        metavar="KEY",
        help="A name or a URI; all that administrators changed or made, unless given.",
    )
    export.set_defaults(run=export_entries)
    importing = subparsers.add_parser(
        "import", help="Read entries that another stage has exported."
    )
    importing.add_argument("file", help=f"The file, or {STDIN} for standard input.")
    importing.add_argument(
        "--dry-run",
        dest="run",
        action="store_const",
        const=show_import,
        help="Show what would change, and change nothing.",
    )
    importing.set_defaults(run=import_entries)


def export_entries(command: BaseCommand, options: dict[str, Any]) -> None:
    try:
        rows = with_keys(options["keys"]) if options["keys"] else said_here()
    except LookupError as error:
        raise CommandError(str(error)) from None
    command.stdout.write(written(exported(rows)), ending="")


def show_import(command: BaseCommand, options: dict[str, Any]) -> None:
    outcomes = preview(_items(options["file"]))
    _write(command, outcomes)
    if any(outcome.action is Action.REFUSED for outcome in outcomes):
        raise CommandError("An import would be refused.")
    command.stdout.write("Nothing was changed: this was a dry run.")


def import_entries(command: BaseCommand, options: dict[str, Any]) -> None:
    try:
        outcomes = bring_in(_items(options["file"]), _log)
    except Refused as error:
        _write(command, error.outcomes)
        raise CommandError("Nothing was changed.") from None
    _write(command, outcomes)


def _items(file: str) -> Any:
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return read(data)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    except BadDocument as error:
        raise CommandError("\n".join(error.problems)) from None


def _write(command: BaseCommand, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.action is not Action.UNCHANGED:
            said = "; ".join(outcome.problems) or ", ".join(outcome.fields)
            line = f"{outcome.action:<9}  {outcome.item}"
            command.stdout.write(f"{line}: {said}" if said else line)
    counts = Counter(outcome.action for outcome in outcomes)
    told = [f"{counts[action]} {action}" for action in Action if counts[action]]
    command.stdout.write(f"{', '.join(told) or 'No entries'}.")


def _log(outcome: Outcome) -> None:
    what = f"{outcome.action}: {', '.join(outcome.fields)}"
    logger.info("By command, %s was imported, %s.", outcome.item, what)
