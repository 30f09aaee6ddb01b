"""The form of the log's lines."""

from __future__ import annotations

import logging


class OneLineFormatter(logging.Formatter):
    """Keeps a record, its traceback too, on one line.

    What a peer sends can then not pass for a line of ours.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "\\n".join(text.splitlines())
