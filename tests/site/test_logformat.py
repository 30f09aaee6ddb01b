"""One record, one line."""

from __future__ import annotations

import logging
import sys

from mcpsite.logformat import OneLineFormatter


def line(message: str, **more: object) -> str:
    record = logging.LogRecord("site", logging.INFO, "x.py", 1, message, None, None)
    record.__dict__.update(more)
    return OneLineFormatter("{levelname} {message}", style="{").format(record)


def test_a_plain_message_is_left_as_it_is() -> None:
    assert line("Started") == "INFO Started"


def test_a_message_cannot_forge_a_line() -> None:
    forged = line("Not Found: /a\r\nINFO Logged in\u2028INFO x\x85INFO y")
    assert len(forged.splitlines()) == 1


def test_a_traceback_stays_on_its_line() -> None:
    try:
        raise ValueError("because")
    except ValueError:
        text = line("Failed", exc_info=sys.exc_info())
    assert text.startswith("INFO Failed\\nTraceback")
    assert text.endswith("ValueError: because")
    assert len(text.splitlines()) == 1
