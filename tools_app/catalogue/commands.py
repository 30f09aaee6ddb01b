"""``manage.py mcp sync``: a row in the admin for each entry that code registers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from tools_app.catalogue.configured import configured_catalogue
from tools_app.catalogue.sync import sync

if TYPE_CHECKING:
    from argparse import _SubParsersAction

SHOWN = 10


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "sync", help="Bring the catalogue in the admin up to what code registers."
    )
    parser.set_defaults(run=sync_rows)


def sync_rows(command: BaseCommand, options: dict[str, Any]) -> None:
    named = configured_catalogue()
    if named is None:
        raise CommandError(
            "The catalogue in the admin is not served. Have the settings say: "
            'MCP["CATALOGUE"] = "tools_app.catalogue.AdminCatalogue"'
        )
    found = sync(named.shelf.entries())
    for said, keys in (
        ("new", found.new),
        ("changed in the code", found.changed),
        ("gone from the code", found.gone),
        ("back", found.back),
    ):
        if keys:
            command.stdout.write(f"{len(keys)} {said}: {_shown(keys)}")
    if not any((found.new, found.changed, found.gone, found.back)):
        command.stdout.write("Nothing to do: the catalogue is as the code has it.")


def _shown(keys: Sequence[str]) -> str:
    more = len(keys) - SHOWN
    return ", ".join(keys[:SHOWN]) + (f" and {more} more" if more > 0 else "")
