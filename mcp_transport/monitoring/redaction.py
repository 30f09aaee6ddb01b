"""What of a message may be shown to whoever reads a log."""

from __future__ import annotations

from typing import Any

from mcp_transport.monitoring.secrecy import is_secret, without_credentials

REDACTED = "[redacted]"
MAX_STRING_CHARS = 200


def redacted(value: Any) -> Any:
    """Return JSON without its secrets, and with its long strings cut.

    A value whose key says that it is a secret is left out, and so is what looks
    like a credential wherever it stands.
    """
    if isinstance(value, dict):
        return {
            _cut(key): REDACTED if is_secret(key) else redacted(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return _cut(value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    cut = without_credentials(text[: 4 * MAX_STRING_CHARS], REDACTED)
    if len(cut) <= MAX_STRING_CHARS and len(text) <= 4 * MAX_STRING_CHARS:
        return cut
    return f"{cut[:MAX_STRING_CHARS]}… ({len(text)} characters)"
