"""The sockets that are listened on, and what their connections inherit."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import stat

from django.core.management.base import CommandError

from mcp_transport.runner.options import DEFAULT_HOST, DEFAULT_PORT, Options

# How many connections the kernel keeps until they are accepted.
BACKLOG = 2048
# After how long without an acknowledgement the kernel gives a connection up.
USER_TIMEOUT_MS = 20_000
# What a process has open beside its connections.
OTHER_FILES = 256


def listen(options: Options) -> socket.socket:
    """Return the socket that the options name; it listens, and does not block.

    Raises CommandError where that cannot be.
    """
    try:
        listener = _listener(options)
    except (OSError, ValueError) as error:
        raise CommandError(f"{_place(options)} cannot be used: {error}") from error
    if listener.family != socket.AF_UNIX:
        # What is set here holds for each connection that is accepted.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS
        )
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _listener(options: Options) -> socket.socket:
    if options.fd is not None:
        return socket.socket(fileno=options.fd)
    if options.unix_socket is not None:
        _remove_remains(options.unix_socket)
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(options.unix_socket)
            stack.pop_all()
        return listener
    host = (options.host or DEFAULT_HOST).strip("[]")
    port = DEFAULT_PORT if options.port is None else options.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _place(options: Options) -> str:
    if options.fd is not None:
        return f"The file descriptor {options.fd}"
    if options.unix_socket is not None:
        return f"The Unix socket {options.unix_socket}"
    return f"{options.host or DEFAULT_HOST}, port {options.port or DEFAULT_PORT},"


def _remove_remains(path: str) -> None:
    """Remove what a process left that was killed; a socket in use is not touched."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)


def room_for(connections: int) -> int:
    """Return how many connections may be open: ``connections``, or what the system
    allows. Its soft limit is raised as far as that needs.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, min(connections, wanted - OTHER_FILES))


def place_of(listener: socket.socket) -> str:
    """Return the address of a listening socket, as a person writes it."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return str(name)
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
