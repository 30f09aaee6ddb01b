"""Requests whose headers do not say what their body says, and a few that do.

A header's value is given line by line, as it goes over the wire. Whoever reads it
gets lines of one name joined by commas, and a folded line unfolded.

Spec: 2026-07-28 basic/transports/streamable-http #required-headers,
#custom-headers, #value-encoding; RFC 9110 section 5.3; RFC 9112 section 5.2.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

MODERN = b"2026-07-28"
LEGACY = b"2025-11-25"
TOOL = b"mark_region"
METHOD = b"tools/call"
REGION = b"eu"
# Stands for the session's id.
SESSION = b"{session}"

MISMATCH, BAD_PARAMS, INVALID, UNSUPPORTED = -32020, -32602, -32600, -32022


@dataclass(frozen=True, slots=True)
class Row:
    """One request: ``values`` are the lines of the header ``name``, in its place;
    ``also`` are lines besides. ``code`` is that of the error, None for a result, and 0
    where the server itself refuses. It is a call of a session if ``session``.
    """

    what: str
    name: bytes
    values: tuple[bytes, ...]
    status: int = 400
    code: int | None = MISMATCH
    also: tuple[bytes, ...] = ()
    session: bool = False

    @property
    def runs(self) -> bool:
        return self.code is None


def sentinel(text: bytes) -> bytes:
    return b"=?base64?%b?=" % b64encode(text)


def told(name: bytes, value: bytes) -> list[Row]:
    """Return what can be wrong with any header that repeats ``value``."""
    half = len(value) // 2
    folded = value[:half] + b"\r\n " + value[half:]
    wrong = [
        ("missing", ()),
        ("empty", (b"",)),
        ("twice", (value, value)),
        ("twice, first another", (b"other", value)),
        ("twice, last another", (value, b"other")),
        ("twice, once empty", (value, b"")),
        ("comma-joined", (b"%b,%b" % (value, value),)),
        ("comma-joined, spaced", (b"%b , %b" % (value, value),)),
        ("a comma behind", (value + b",",)),
        ("folded", (folded,)),
        ("folded by a tab", (value[:half] + b"\r\n\t" + value[half:],)),
        ("another", (b"other",)),
        ("Latin-1", (value + b"\xe9",)),
        ("UTF-8", (value + "\u00e9".encode(),)),
        ("a tab within", (value[:half] + b"\t" + value[half:],)),
        ("quoted", (b'"%b"' % value,)),
        ("in percents", (b"%%%02x%b" % (value[0], value[1:]),)),
    ]
    label = name.decode()
    return [Row(f"{label}: {what}", name, values) for what, values in wrong]


def cased(name: bytes, value: bytes) -> Row:
    return Row(f"{name.decode()}: upper case", name, (value.upper(),))


def encoded(name: bytes, value: bytes) -> list[Row]:
    """Return what can be wrong with a value in base64."""
    good = sentinel(value)
    wrong = [
        ("of another", (sentinel(b"other"),)),
        ("of itself", (sentinel(good),)),
        ("of upper case", (sentinel(value.upper()),)),
        ("of no UTF-8", (sentinel(value + b"\xff"),)),
        ("no base64", (b"=?base64?!!!!?=",)),
        ("no padding", (good.replace(b"=?=", b"?="),)),
        ("a space within", (good[:12] + b" " + good[12:],)),
        ("of nothing", (b"=?base64??=",)),
        ("no end", (good[:-2],)),
        ("BASE64", (good.replace(b"base64", b"BASE64"),)),
        ("twice", (good, good)),
        ("and plain", (good, value)),
    ]
    label = f"{name.decode()} in base64"
    return [
        *(Row(f"{label}: {what}", name, values) for what, values in wrong),
        Row(f"{label}: right", name, (good,), 200, None),
    ]


STATELESS = [
    *told(b"Mcp-Method", METHOD),
    cased(b"Mcp-Method", METHOD),
    Row("Mcp-Method in base64", b"Mcp-Method", (sentinel(METHOD),)),
    Row("Mcp-Method of another call", b"Mcp-Method", (b"tools/list",)),
    *told(b"Mcp-Name", TOOL),
    cased(b"Mcp-Name", TOOL),
    *encoded(b"Mcp-Name", TOOL),
    *told(b"Mcp-Param-Region", REGION),
    cased(b"Mcp-Param-Region", REGION),
    *encoded(b"Mcp-Param-Region", REGION),
    *told(b"Mcp-Protocol-Version", MODERN),
    Row("version in base64", b"Mcp-Protocol-Version", (sentinel(MODERN),)),
    Row("version of a session", b"Mcp-Protocol-Version", (LEGACY,)),
    # What is written in another way, and says the same.
    Row("name in lower case", b"mcp-name", (TOOL,), 200, None),
    Row("name in upper case", b"MCP-METHOD", (METHOD,), 200, None),
    Row("spaces around", b"Mcp-Name", (b" \t%b\t " % TOOL,), 200, None),
    Row("undeclared", b"Mcp-Name", (TOOL,), 200, None, (b"Mcp-Param-X: y",)),
    # Another name, however like, is another header.
    Row("underscore instead", b"Mcp-Name", (), also=(b"Mcp_Name: " + TOOL,)),
    Row("underscore besides", b"Mcp-Name", (TOOL,), 200, None, (b"Mcp_Name: other",)),
    Row("a session besides", b"Mcp-Name", (TOOL,), 200, None, (b"Mcp-Session-Id: x",)),
]

ID = b"Mcp-Session-Id"
VERSION = b"Mcp-Protocol-Version"
OF_SESSION = [
    Row(f"session: {what}", name, values, status, code, session=True)
    for what, name, values, status, code in (
        ("right", ID, (SESSION,), 200, None),
        ("missing", ID, (), 400, INVALID),
        ("empty", ID, (b"",), 404, INVALID),
        ("twice", ID, (SESSION, SESSION), 404, INVALID),
        ("twice, first another", ID, (b"x", SESSION), 404, INVALID),
        ("twice, last another", ID, (SESSION, b"x"), 404, INVALID),
        ("comma-joined", ID, (b"%b,%b" % (SESSION, SESSION),), 404, INVALID),
        ("a comma behind", ID, (SESSION + b",",), 404, INVALID),
        ("folded", ID, (SESSION + b"\r\n x",), 404, INVALID),
        ("in base64", ID, (sentinel(b"x"),), 404, INVALID),
        ("Latin-1", ID, (SESSION + b"\xe9",), 404, INVALID),
        ("UTF-8", ID, (SESSION + "\u00e9".encode(),), 404, INVALID),
        ("quoted", ID, (b'"%b"' % SESSION,), 404, INVALID),
        ("version missing", VERSION, (), 200, None),
        ("version empty", VERSION, (b"",), 400, UNSUPPORTED),
        ("version twice", VERSION, (LEGACY, LEGACY), 400, UNSUPPORTED),
        ("version comma-joined", VERSION, (LEGACY + b"," + LEGACY,), 400, UNSUPPORTED),
        ("version Latin-1", VERSION, (LEGACY + b"\xe9",), 400, UNSUPPORTED),
        ("version in base64", VERSION, (sentinel(LEGACY),), 400, UNSUPPORTED),
        ("version without sessions", VERSION, (MODERN,), 400, BAD_PARAMS),
    )
]
