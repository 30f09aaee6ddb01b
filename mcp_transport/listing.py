"""``manage.py mcp list``: what is served, or what of it one user may use."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from mcp_transport.callers import caller_named
from mcp_transport.conf import get_server
from mcp_transport.engine.catalogue import SEES_ALL, all_entries
from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.table import table

if TYPE_CHECKING:
    from argparse import _SubParsersAction

COLUMNS = ("kind", "key", "permission", "scope")


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "list",
        help="List the tools, resources, templates and prompts that are served.",
        description="In the order of kinds and names, with what each asks of its "
        "caller: a permission of the user, a scope of the token.",
    )
    parser.add_argument(
        "--user", help="Only what this user may use, by user name, with all scopes."
    )
    parser.set_defaults(run=list_entries)


def list_entries(command: BaseCommand, options: dict[str, Any]) -> None:
    name = options["user"]
    caller = SEES_ALL if name is None else caller_named(name)
    try:
        entries = asyncio.run(all_entries(get_server().catalogue, caller))
    except StoreUnavailable as error:
        raise CommandError(
            "The catalogue cannot be read: its database does not answer."
        ) from error
    if not entries:
        command.stderr.write(
            "Nothing. Entries come from the module mcp of each app in INSTALLED_APPS."
        )
        return
    rows = [(one.kind, one.key, one.permission or "", one.scope) for one in entries]
    for line in table(COLUMNS, rows):
        command.stdout.write(line)
