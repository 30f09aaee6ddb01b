"""The access log: what was asked for, without what may be a secret."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from daphne.access import AccessLogGenerator  # type: ignore[import-untyped]


class AccessLog(AccessLogGenerator):  # type: ignore[misc]
    """daphne's, with the path alone: a query string is no place for a secret, and a
    log is no place for one that was put there all the same.
    """

    def __call__(self, protocol: str, action: str, details: Mapping[str, Any]) -> None:
        path = details["path"].partition("?")[0]
        super().__call__(protocol, action, {**details, "path": path})


def open_access_log(file: str | None) -> AccessLog | None:
    """Return the log that is written to ``file``; - is standard error.

    Without a file it is standard error where a person reads that, else None.
    Raises OSError if the file cannot be written.
    """
    if file == "-" or (file is None and sys.stderr.isatty()):
        return AccessLog(sys.stderr)
    if file is None:
        return None
    return AccessLog(open(file, "a", buffering=1, encoding="utf-8"))
