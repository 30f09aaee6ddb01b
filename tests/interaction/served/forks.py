"""``manage.py mcp stdio`` again and again, each in a process of its own.

To load Django takes longer than most conversations do. So one process loads it
and is forked for each client: what the client meets is the command as it is,
over its own descriptors.

Run with the descriptor of a socket: each message there is a token, with what is
to be the standard input and output of one server, and where to report its process
id and, in the end, its exit status.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

import django
from django.core.management import execute_from_command_line

import mcp_transport.mcp_commands  # noqa: F401
import tests.interaction.served.catalogue  # noqa: F401


def main(orders_fd: int) -> None:
    django.setup()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=orders_fd) as orders:
        while True:
            token, descriptors, _, _ = socket.recv_fds(orders, 1024, 2)
            if not token:
                return
            if os.fork() == 0:
                orders.close()
                watch(token.decode(), *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)


def watch(token: str, client_fd: int, report_fd: int) -> None:
    """Fork a server, and report how it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    server = os.fork()
    if server == 0:
        os.close(report_fd)
        serve(token, client_fd)
    os.close(client_fd)
    os.write(report_fd, b"%d\n" % server)
    _, status = os.waitpid(server, 0)
    os.write(report_fd, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def serve(token: str, client_fd: int) -> None:
    os.dup2(client_fd, 0)
    os.dup2(client_fd, 1)
    os.close(client_fd)
    os.environ["MCP_TOKEN"] = token
    status = 1
    try:
        execute_from_command_line(["manage.py", "mcp", "stdio"])
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(int(sys.argv[1]))
