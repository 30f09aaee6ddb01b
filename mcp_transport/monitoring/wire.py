"""Debug mode: every message that comes and goes, in the log. For development alone.

What is logged is redacted and cut (see ``redaction``), and still shows what people
say to each other: nothing of it belongs into the log of a server in use.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator

from mcp_transport.monitoring.redaction import redacted

logger = logging.getLogger("mcp_transport.wire")

MAX_MESSAGE_CHARS = 4000
VARIABLE = "DEBUG_TRANSPORT"
PROBLEM = (
    f'MCP["DEBUG_WIRE"] or {VARIABLE}=1 logs what people say to the server: it is for '
    "development, and refused unless DEBUG is True"
)


def asked_for() -> bool:
    """Tell whether the environment switches debug mode on."""
    return os.environ.get(VARIABLE) == "1"


class WireLog:
    """Logs at DEBUG to ``mcp_transport.wire``: ``<-`` is what a client sent, ``->``
    what it was sent. Whoever switches it on wants to see it, so that the logger is
    set to that level, and writes to standard error where no handler is set up.
    """

    def __init__(self) -> None:
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.DEBUG)
        if not logger.hasHandlers():
            logger.addHandler(logging.StreamHandler())
        logger.warning(
            "debug mode: each message is logged here, with what people say in it"
        )

    def received(self, where: str, message: bytes) -> None:
        logger.debug("%s <- %s", where, readable(message))

    def sent(self, where: str, message: bytes) -> None:
        logger.debug("%s -> %s", where, readable(message))


def readable(message: bytes) -> str:
    """Return a message as one line of JSON without its secrets, cut to 4,000
    characters. Of what is no JSON only the size is told.
    """
    if not message:
        return "(nothing)"
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return f"{len(message)} bytes that are no JSON"
    text = json.dumps(redacted(said), separators=(",", ":"))
    if len(text) <= MAX_MESSAGE_CHARS:
        return text
    return f"{text[:MAX_MESSAGE_CHARS]}… ({len(message)} bytes)"


def data_of(events: bytes) -> Iterator[bytes]:
    """Yield the data of server-sent events, as our doors write them: on one line."""
    for line in events.split(b"\n"):
        if line.startswith(b"data: ") and len(line) > len(b"data: "):
            yield line.removeprefix(b"data: ")
