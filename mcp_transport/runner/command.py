"""``manage.py mcp serve``, as a sub-command."""

from __future__ import annotations

import os
import socket
from argparse import ArgumentParser
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from mcp_transport.runner import options as given
from mcp_transport.runner.options import Options

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="Serve the project over HTTP and WebSocket, by daphne.",
        description="SIGTERM lets what runs come to an end; a second one ends it.",
    )
    given.add_arguments(parser)
    parser.set_defaults(run=serve)


def serve(command: BaseCommand, options: dict[str, Any]) -> None:
    """Serve until a signal comes."""
    if find_spec("daphne") is None:
        raise CommandError(
            "daphne is not installed: pip install 'django-mcp-transport[daphne]'"
        )
    if os.name != "posix":
        raise CommandError(
            "manage.py mcp serve needs a POSIX system, such as Linux or macOS. "
            "Here serve the same application by daphne or uvicorn."
        )
    # Not at the top: they need what other systems lack, and the other
    # sub-commands run there.
    from mcp_transport.runner import workers
    from mcp_transport.runner.listening import listen, place_of

    read = given.read(options)
    role = workers.role()
    if role is not None:
        descriptor, pipe = role
        _serve(socket.socket(fileno=descriptor), read, pipe)
        return
    with listen(read) as listener:
        command.stderr.write(
            f"Listening on {place_of(listener)}, serving {read.application}"
        )
        if read.workers > 1:
            workers.supervise(listener, read)
        else:
            _serve(listener, read)


def _serve(
    listener: socket.socket, options: Options, parent: int | None = None
) -> None:
    from mcp_transport.runner.server import Server

    Server(_imported(options.application), listener, options, parent).run()


def _imported(path: str) -> Any:
    """Return what a path names, with a dot or a colon before its last part."""
    try:
        if ":" not in path:
            return import_string(path)
        module, _, name = path.partition(":")
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise CommandError(f"{path} cannot be imported: {error}") from error
