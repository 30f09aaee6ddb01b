"""The log as JSON, one object a line."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from mcp_transport.monitoring import JsonFormatter


def formatted(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    said: dict[str, Any] = json.loads(line)
    return said


def made(message: str, *args: object, **more: Any) -> logging.LogRecord:
    logger = logging.getLogger("mcp_transport.calls")
    return logger.makeRecord(
        logger.name, logging.INFO, __file__, 1, message, args, None, **more
    )


def test_a_record_is_an_object_with_what_it_was_given() -> None:
    record = made("%s is done", "it", extra={"mcp_name": "greet", "mcp_code": None})
    record.created = 1_796_112_005.25
    assert formatted(record) == {
        "time": "2026-12-01T08:00:05.250+00:00",
        "level": "INFO",
        "logger": "mcp_transport.calls",
        "message": "it is done",
        "mcp_name": "greet",
        "mcp_code": None,
    }


def test_no_text_leaves_its_line_or_its_field() -> None:
    forged = 'x\n{"level": "INFO"}\u2028", "level": "ERROR'
    said = formatted(made("%s", forged, extra={"mcp_name": forged}))
    assert (said["message"], said["mcp_name"]) == (forged, forged)
    assert said["level"] == "INFO"


def test_what_a_record_says_of_itself_cannot_be_replaced() -> None:
    said = formatted(made("it", extra={"level": "DEBUG", "time": "never"}))
    assert said["level"] == "INFO"
    assert said["time"] != "never"


def test_what_is_no_json_is_told_as_text() -> None:
    said = formatted(made("it", extra={"request": {1}, "by": object}))
    assert said["request"] == "{1}"


def test_an_exception_stays_on_the_line() -> None:
    record = made("it failed")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert formatted(record)["exception"].endswith("ValueError: two\nlines")
