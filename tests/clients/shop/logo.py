"""The sign over the door: enough of a picture to be told from text."""

from __future__ import annotations

LOGO = b"\x89PNG\r\n\x1a\nnot really"
