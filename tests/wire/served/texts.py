"""Texts that would break a stream of events which they got into as they are."""

from __future__ import annotations

TEXTS = [
    "a\nb",
    "a\rb",
    "a\r\nb",
    "a\n\nb",
    "\n\n\n",
    "\r\r",
    "a\0b",
    "a\u2028b\u2029c",
    "a\x85b\x0bc\x0cd\x1ce",
    "\ufeffa",
    '\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
    "\r\rid: 0.0.0\r\r",
    "x\nretry: 1\n: comment\nevent: error\ndata: x\n\n",
    '"}\n\nevent: message\ndata: {"',
    "\\n\\r\\u000a\u007f\u0080",
    "\U0001f600",
    "data: [DONE]",
    "",
]
