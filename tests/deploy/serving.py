"""What a deployed command line tells the server."""

from __future__ import annotations

from collections.abc import Sequence

from django.test import override_settings

from deploy.cluster import APPLICATION
from mcp_transport.management.commands.mcp import Command
from mcp_transport.runner.options import Options, read


def options_of(command: Sequence[str]) -> Options:
    """Return what ``manage.py mcp serve`` takes from its command line, in a project
    whose settings name the site.
    """
    program, name, *arguments = command
    assert (program, name) == ("manage.py", "mcp")
    parsed = Command().create_parser(program, name).parse_args(arguments)
    with override_settings(ASGI_APPLICATION=APPLICATION):
        return read(vars(parsed))
