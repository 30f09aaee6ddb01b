"""``manage.py mcp``: one command whose sub-commands installed apps bring.

An app that has a module ``mcp_commands`` with a function ``register`` is given
the parser's sub-parsers. Each of its parsers names what runs by
``set_defaults(run=...)``: a function of the command, through which it writes,
and of the parsed options.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.utils.module_loading import module_has_submodule

Run = Callable[[BaseCommand, dict[str, Any]], None]


class Command(BaseCommand):
    help = "Manage the MCP server of this project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
        for config in apps.get_app_configs():
            if module_has_submodule(config.module, "mcp_commands"):
                import_module(f"{config.name}.mcp_commands").register(subparsers)

    def handle(self, *args: Any, run: Run, **options: Any) -> None:
        run(self, options)
