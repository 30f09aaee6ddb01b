"""``manage.py mcp``: one command whose sub-commands installed apps bring.

An app that has a module ``mcp_commands`` with a function ``register`` is given
the parser's sub-parsers. Each of its parsers names what runs by
``set_defaults(run=...)``: a function of the command, through which it writes,
and of the parsed options.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.utils.module_loading import module_has_submodule

Run = Callable[[BaseCommand, dict[str, Any]], None]


class SubCommandParser(CommandParser):
    """Takes what every command of manage.py takes, such as --settings. What is
    left out here may stand before the sub-command, as argparse has it.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            parents=[_of_every_command()],
            epilog="The options of manage.py mcp --help may stand here too.",
            **options,
        )


def _of_every_command() -> ArgumentParser:
    parser = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    add = partial(parser.add_argument, help=SUPPRESS)
    add("-v", "--verbosity", type=int, choices=range(4))
    add("--settings")
    add("--pythonpath")
    for switch in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
        add(switch, action="store_true", default=SUPPRESS)
    return parser


class Command(BaseCommand):
    help = "Manage the MCP server of this project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        subparsers = parser.add_subparsers(
            metavar="COMMAND", required=True, parser_class=SubCommandParser
        )
        for config in apps.get_app_configs():
            if module_has_submodule(config.module, "mcp_commands"):
                import_module(f"{config.name}.mcp_commands").register(subparsers)

    def handle(self, *args: Any, run: Run, **options: Any) -> None:
        try:
            run(self, options)
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(
                f"The database cannot be used: {error}. Is it migrated? "
                "manage.py migrate"
            ) from error
