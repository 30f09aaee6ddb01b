"""What goes over a wire, line by line, as docs/transports.md shows it.

``>`` marks what the client sends, ``<`` what the server sends, and ``#`` what
befalls the connection. Where there are several connections, each has a number.
"""

from __future__ import annotations

import re

_PROTOCOL = re.escape('"io.modelcontextprotocol/protocolVersion":"2026-07-28"')
_NOTHING = re.escape('"io.modelcontextprotocol/clientCapabilities":{}')
_SERVER = re.escape('"io.modelcontextprotocol/serverInfo":') + r"\{[^}]*\}"

# What differs from one time to the next, and what stands for it.
VOLATILE = (
    (re.compile(r"alice-token"), "TOKEN"),
    (re.compile(r"(Mcp-Session-Id: )\S+"), r"\1SESSION"),
    (re.compile(r"sessionId=[\w-]+"), "sessionId=SESSION"),
    (re.compile(r"\b0\.[0-9a-f]{8,}\.(\d+)"), r"0.EPOCH.\1"),
    (re.compile(r"\b[0-9a-f]{16}\.[0-9a-f]{8,}\.(\d+)"), r"STREAM.EPOCH.\1"),
    (re.compile(r'"id":"[^"]{20,}"'), '"id":"QUESTION"'),
    (re.compile(r'"requestState":"[^"]+"'), '"requestState":"STATE"'),
)
# What every message of the stateless revision repeats.
REPEATED = (
    (re.compile(f"{_PROTOCOL}(,{_NOTHING})?"), "…"),
    (re.compile(_SERVER), "…"),
)


class Recording:
    """One recording. Unless it is ``whole``, what all have in common is left out."""

    def __init__(self, *, whole: bool = False) -> None:
        self.whole = whole
        self._lines: list[str] = []

    def sent(self, line: str, connection: str = "") -> None:
        self._lines.append(f"{connection}> {line}".rstrip())

    def received(self, line: str, connection: str = "") -> None:
        self._lines.append(f"{connection}< {line}".rstrip())

    def note(self, event: str) -> None:
        """Write down what no line says, such as that a connection broke."""
        self._lines.append(f"# {event}")

    @property
    def text(self) -> str:
        text = "\n".join(self._lines)
        for pattern, stands_for in VOLATILE + (() if self.whole else REPEATED):
            text = pattern.sub(stands_for, text)
        return text
