"""Messages that are nearly valid, and bytes that are no messages, from a seed.

Ids that are valid are used once each: a door may refuse one that it has seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from mcp_transport.protocol.http import NAMED
from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST
from tests.security.doors import Headers, Sent
from tests.wire.client import header_value

Json = dict[str, Any]

CALLS: tuple[tuple[str, Json], ...] = (
    ("ping", {}),
    ("server/discover", {}),
    ("tools/list", {}),
    ("resources/list", {"cursor": "forged"}),
    ("resources/templates/list", {}),
    ("prompts/list", {}),
    ("tools/call", {"name": "echo", "arguments": {"text": "x", "times": 2}}),
    ("tools/call", {"name": "say", "arguments": {"text": "x", "fail": True}}),
    ("resources/read", {"uri": "hex://61"}),
    ("resources/subscribe", {"uri": "hex://61"}),
    ("resources/unsubscribe", {"uri": "hex://61"}),
    ("prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}),
    (
        "completion/complete",
        {
            "ref": {"type": "ref/prompt", "name": "greet"},
            "argument": {"name": "name", "value": "A"},
        },
    ),
    ("logging/setLevel", {"level": "info"}),
    ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}),
    ("notifications/initialized", {}),
    ("notifications/cancelled", {"requestId": 1}),
    ("notifications/progress", {"progressToken": 1, "progress": 1}),
)
# Who shakes hands after all has a session.
WITHOUT_SESSION = tuple(call for call in CALLS if call[0] != "initialize")
WORDS = [
    *("", "x", "id", "method", "params", "_meta", "name", "uri", "cursor", "result"),
    *("error", "echo", "tools/list", "2.0", "2025-11-25", LATEST.name, "file:///"),
    *("progressToken", "arguments", "\0", "\u2028", "\r\ndata: x", "\U0001f600"),
]
NUMBERS = [0, -1, 1, 1.5, -0.0, 1e308, 2**53, 2**63, 2**64, 10**400]
# What no writer of JSON writes.
PIECES = [
    *("NaN", "1e999", "01", "'", '"', "\\ud800", "\\u0000", ",", ":", "[", "}", "]"),
    *("/**/", "\t", "\x0b", "\ufeff", "\0", "\u2028", "null", "[" * 70, "9" * 5000),
]
ARBITRARY_TO = 0xD7FF  # surrogates, which UTF-8 cannot carry, come after

HANDSHAKE = "initialize"


class Fuzz:
    """A source of messages, for a server that takes batches or takes them for one
    mistake. ``claims`` is put into the params of each call.
    """

    def __init__(
        self, seed: str, *, batching: bool = False, claims: Json | None = None
    ) -> None:
        self._random = Random(seed)
        self._batching = batching
        self._claims = claims

    def sent(self) -> Sent:
        """Return the next body."""
        draw = self._random.random()
        value = self._mutated()
        if draw < 0.05:
            some = [self._mutated() for _ in range(self._random.randint(0, 4))]
            value = [one for one in some if one.get("method") != HANDSHAKE]
        elif draw < 0.08:
            value = self._value()
        self._renew_ids(value)
        text = json.dumps(value, ensure_ascii=self._random.random() < 0.5)
        if draw > 0.9:
            text = self._damaged(text)
        return self._sent(text)

    def _sent(self, text: str) -> Sent:
        # A line ends at LF, and may end at CR and LF; a blank one is none.
        body = text.replace("\n", " ").strip("\r").encode()
        body = body if body.strip() else b"0"
        value = value_of(body)
        if not isinstance(value, list):
            return Sent(body, readable_id(value) is not None)
        if not self._batching:
            return Sent(body, 1)
        ids = sum(readable_id(message) is not None for message in value)
        return Sent(body, ids, more=True)

    def _mutated(self) -> Any:
        """Return a valid message, or one that was up to three changes ago."""
        message = self._valid()
        for _ in range(self._random.choice((0, 0, 1, 1, 1, 2, 3))):
            self._mutate(message)
        return message

    def _valid(self) -> Json:
        calls = CALLS if self._claims is None else WITHOUT_SESSION
        method, params = self._random.choice(calls)
        params = json.loads(json.dumps(params))
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if method.startswith("notifications/"):
            return message
        if self._claims is not None:
            params["_meta"] = dict(self._claims)
        return {**message, "id": 0}

    def _mutate(self, message: Json) -> None:
        """Replace, remove, rename, wrap or add a part."""
        random = self._random
        places = list(_places(message))
        if not places:
            message[random.choice(WORDS)] = self._value()
            return
        holder, key = random.choice(places)
        kind = random.choice(("replace", "remove", "rename", "wrap", "add"))
        if kind == "replace":
            holder[key] = self._value()
        elif kind == "remove":
            del holder[key]
        elif kind == "wrap":
            holder[key] = random.choice(([holder[key]], {"x": holder[key]}))
        elif isinstance(holder, dict):
            value = holder.pop(key) if kind == "rename" else self._value()
            holder[random.choice(WORDS)] = value

    def _value(self, depth: int = 3) -> Any:
        random = self._random
        makers: list[Callable[[], Any]] = [
            lambda: random.choice((None, True, False)),
            lambda: random.choice(NUMBERS),
            lambda: random.choice(WORDS),
            self._text,
        ]
        if depth:
            size = range(random.randint(0, 3))
            makers += [
                lambda: [self._value(depth - 1) for _ in size],
                lambda: {random.choice(WORDS): self._value(depth - 1) for _ in size},
            ]
        return random.choice(makers)()

    def _text(self) -> str:
        size = self._random.randint(0, 8)
        return "".join(chr(self._random.randint(0, ARBITRARY_TO)) for _ in range(size))

    def _renew_ids(self, value: Any) -> None:
        for message in value if isinstance(value, list) else [value]:
            if isinstance(message, dict) and type(message.get("id")) in (str, int):
                number = self._random.getrandbits(62)
                message["id"] = self._random.choice(
                    (number, -number, f"{self._text()} {number}")
                )

    def _damaged(self, text: str) -> str:
        """Cut something out of the text, or put something in, or both."""
        random = self._random
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 0, 1, 5, 40)))
        put = random.choice(("", self._text(), random.choice(PIECES)))
        return text[:start] + put + text[end:]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each part of a value but itself, as what holds it and the key there."""
    if isinstance(value, dict | list):
        keys = range(len(value)) if isinstance(value, list) else list(value)
        for key in keys:
            yield value, key
            yield from _places(value[key])


def readable_id(message: Any) -> str | int | None:
    """Return the id under which a message is answered, if it has one."""
    if not isinstance(message, dict) or type(message.get("id")) not in (str, int):
        return None
    if "method" not in message and ("result" in message or "error" in message):
        return None
    found: str | int = message["id"]
    return found


def value_of(body: bytes) -> Any:
    """Return what a body says, or None where it says nothing."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


CLAIMS: Json = {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}}


def mirrored(value: Any) -> Headers | None:
    """Return the headers that repeat a stateless request; None if none can."""
    if readable_id(value) is None or not _fits_header(value.get("method")):
        return None
    method, params = value["method"], value.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    claim = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    if not _fits_header(claim):
        return None
    headers = {"MCP-Protocol-Version": claim, "Mcp-Method": method}
    if method in NAMED:
        name = params.get(NAMED[method])
        if type(name) is not str:
            return None
        headers["Mcp-Name"] = header_value(name)
    return headers


def _fits_header(text: Any) -> bool:
    return (
        type(text) is str
        and text.isascii()
        and text.isprintable()
        and text == text.strip()
    )
