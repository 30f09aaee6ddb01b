"""What ``manage.py mcp serve`` can be told."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from mcp_transport.conf import get_conf
from mcp_transport.stores import MEMORY

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
MOST_WORKERS = 64
LONGEST_S = 3600


@dataclass(frozen=True, kw_only=True)
class Options:
    """Times in seconds, sizes in bytes."""

    application: str
    host: str | None
    port: int | None
    unix_socket: str | None
    fd: int | None
    workers: int
    grace_s: float
    access_log: str | None
    ping_interval_s: int
    ping_timeout_s: int
    max_body_bytes: int
    max_message_bytes: int
    max_connections: int


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--application",
        metavar="PATH",
        help="The ASGI application, as package.module.name or package.module:name "
        "(default: settings.ASGI_APPLICATION).",
    )
    add("--bind", "--host", dest="host", help=f"The address (default {DEFAULT_HOST}).")
    add("--port", type=int, help=f"The port (default {DEFAULT_PORT}).")
    add("--unix-socket", metavar="PATH", help="Listen on a Unix socket instead.")
    add("--fd", type=int, help="Use a listening socket that was handed down instead.")
    add("--workers", type=int, default=1, help="How many processes serve (default 1).")
    _seconds(parser, "grace", 20.0, "How long calls may go on after SIGTERM")
    add(
        "--access-log",
        metavar="FILE",
        help="Where each request is noted, without its query string; - is standard "
        "error (default: standard error if that is a terminal, else nowhere).",
    )
    _seconds(parser, "ping-interval", 30, "After how long a silent WebSocket is asked")
    _seconds(parser, "ping-timeout", 10, "How long it has to answer")
    add(
        "--max-body-bytes",
        type=int,
        metavar="BYTES",
        help="The largest body of a request (default: the larger of "
        'MCP["MAX_BODY_BYTES"] and DATA_UPLOAD_MAX_MEMORY_SIZE).',
    )
    add(
        "--max-connections",
        type=int,
        default=10_000,
        metavar="N",
        help="How many connections may be open in each process (default 10000).",
    )


def _seconds(parser: ArgumentParser, name: str, default: float, said: str) -> None:
    parser.add_argument(
        f"--{name}",
        dest=f"{name.replace('-', '_')}_s",
        type=type(default),
        default=default,
        metavar="SECONDS",
        help=f"{said} (default {default:g}).",
    )


def read(given: Mapping[str, Any]) -> Options:
    """Return the options, with what they leave to the settings.

    Raises CommandError for what cannot be, ImproperlyConfigured for wrong settings.
    """
    values = {f.name: given[f.name] for f in fields(Options) if f.name in given}
    limits = get_conf().limits
    values["max_message_bytes"] = limits.max_body_bytes
    values["application"] = given["application"] or _application()
    if given["max_body_bytes"] is None:
        uploads = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        values["max_body_bytes"] = max(limits.max_body_bytes, uploads)
    options = Options(**values)
    problem = _problem(options)
    if problem is not None:
        raise CommandError(problem)
    return options


def _application() -> str:
    path: str | None = getattr(settings, "ASGI_APPLICATION", None)
    if path is None:
        raise CommandError(
            "There is nothing to serve: set ASGI_APPLICATION in the settings, or "
            "give --application mysite.asgi.application."
        )
    return path


def _problem(options: Options) -> str | None:
    places = [
        options.host is not None or options.port is not None,
        options.unix_socket is not None,
        options.fd is not None,
    ]
    if sum(places) > 1:
        return "Give one of --bind and --port, --unix-socket, and --fd."
    for name, value, least, most in (
        ("workers", options.workers, 1, MOST_WORKERS),
        ("port", options.port or 0, 0, 65_535),
        ("grace", options.grace_s, 0, LONGEST_S),
        ("ping-interval", options.ping_interval_s, 1, LONGEST_S),
        ("ping-timeout", options.ping_timeout_s, 1, LONGEST_S),
        ("max-body-bytes", options.max_body_bytes, 1, 2**40),
        ("max-connections", options.max_connections, 1, 1_000_000),
    ):
        if not least <= value <= most:
            return f"--{name} is {value:g}; it must be from {least} to {most}."
    if options.ping_timeout_s >= options.ping_interval_s:
        return "--ping-timeout must be less than --ping-interval."
    if options.workers > 1 and get_conf().store == MEMORY:
        return (
            'Several workers need a store that they share: set MCP["STORE"] to the '
            "URL of a Redis server. With the store in memory a session is known to "
            "one of them only."
        )
    return None
