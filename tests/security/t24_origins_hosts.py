"""T24: which Host and which Origin gets in, by every transport and mount."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST
from tests.faults.verdict import require
from tests.security import raw
from tests.security.project import Project, project

FORBIDDEN = 403
BAD_REQUEST = 400
AT_ONCE = 8
SHOWN = 5

ALLOWED = ["https://app.example", "https://xn--bcher-kva.example", "http://[::1]:6274"]

# The values of the header, and whether a page of there may call where ALLOWED is
# configured. Where nothing is, only a request without the header may.
ORIGINS: Mapping[str, tuple[Sequence[str | bytes], bool]] = {
    "none": ([], True),
    "allowed": (["https://app.example"], True),
    "upper case, default port": (["HTTPS://APP.Example:443"], True),
    "IDN in ASCII": (["https://xn--bcher-kva.example"], True),
    "IPv6 written out": (["http://[0:0:0:0:0:0:0:1]:6274"], True),
    "IDN in UTF-8": (["https://bücher.example".encode()], False),
    "other scheme": (["http://app.example"], False),
    "other port": (["https://app.example:8443"], False),
    "IPv6 without its port": (["http://[::1]"], False),
    "subdomain": (["https://sub.app.example"], False),
    "suffix trick": (["https://app.example.evil.example"], False),
    "prefix trick": (["https://evil-app.example"], False),
    "trailing dot": (["https://app.example."], False),
    "trailing slash": (["https://app.example/"], False),
    "as a user": (["https://app.example@evil.example"], False),
    "with a user": (["https://evil@app.example"], False),
    "two in one": (["https://app.example https://evil.example"], False),
    "two headers": (["https://app.example", "https://evil.example"], False),
    "two headers, the same": (["https://app.example", "https://app.example"], False),
    "its own host": (["http://mcp.example"], False),
    "null": (["null"], False),
    "empty": ([""], False),
    "any": (["*"], False),
    "a file": (["file://"], False),
}

# What the server's own WebSocket refuses, before the application is asked.
MALFORMED = {"empty", "any"}

# The Host header, {port} being the server's, and whether that is served here.
HOSTS: Mapping[str, tuple[Sequence[str], bool]] = {
    "address": (["127.0.0.1:{port}"], True),
    "name": (["mcp.example"], True),
    "upper case, other port": (["MCP.Example:8443"], True),
    "trailing dot": (["mcp.example.:{port}"], True),
    "IPv6": (["[::1]:{port}"], True),
    "evil": (["evil.example"], False),
    "evil with the port": (["evil.example:{port}"], False),
    "other IPv6": (["[::2]:{port}"], False),
    "other address": (["127.0.0.2:{port}"], False),
    "subdomain": (["sub.mcp.example"], False),
    "suffix trick": (["mcp.example.evil.example"], False),
    "as a user": (["mcp.example@evil.example"], False),
    "with a user": (["evil@mcp.example"], False),
    "two in one": (["mcp.example,evil.example"], False),
    "two headers": (["mcp.example", "evil.example"], False),
    "a path": (["mcp.example/evil"], False),
}


@dataclass(frozen=True)
class Door:
    """``welcome`` is the status of who gets in, with a token; and of a preflight,
    which has none, or None where browsers send none.
    """

    verb: str
    path: str
    headers: tuple[raw.Header, ...]
    body: bytes
    welcome: int
    preflight: int | None = 204


def _call(**params: object) -> bytes:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}
    return json.dumps(message).encode()


JSON = ("Content-Type", "application/json")
EVENTS = ("Accept", "text/event-stream")
BOTH = ("Accept", "application/json, text/event-stream")
STREAMABLE = (JSON, BOTH, ("MCP-Protocol-Version", LATEST.name))
LIST = _call(_meta={VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}})
UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Protocol", "mcp"),
)
NAMED = (JSON, ("X-Session-ID", "origins"))


def _of_http(mount: str) -> dict[str, Door]:
    called = (*STREAMABLE, ("Mcp-Method", "tools/list"))
    streamable = Door("POST", f"{mount}/mcp", called, LIST, 200)
    return {
        "streamable": streamable,
        "sse": Door("GET", f"{mount}/sse", (EVENTS,), b"", 200),
        "sse message": Door(
            "POST", f"{mount}/message?sessionId=no", (JSON,), LIST, 404
        ),
        "plain": Door("POST", f"{mount}/mcp", NAMED, _call(), 200),
    }


WEBSOCKET = Door("GET", "/ws", UPGRADE, b"", 101, preflight=None)
DOORS: Mapping[str, Door] = {
    **{f"{name}, lean": door for name, door in _of_http("").items()},
    **{f"{name}, urls": door for name, door in _of_http("/urls").items()},
    "websocket": WEBSOCKET,
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """Every how many-th cell is asked, of all that there are."""

    every: int


SMALL = Size(every=11)
FULL = Size(every=1)


@dataclass(frozen=True)
class Cell:
    door: str
    host: str
    origin: str
    preflight: bool

    def __str__(self) -> str:
        asked = "preflight of " if self.preflight else ""
        return f"{asked}{self.door}, host {self.host}, origin {self.origin}"

    def tabled(self, configured: bool) -> int:
        """Return the status that it must have."""
        door, served = DOORS[self.door], HOSTS[self.host][1]
        if door is WEBSOCKET and self.origin in MALFORMED:
            return BAD_REQUEST
        values, allowed = ORIGINS[self.origin]
        if not served or not (allowed if configured else not values):
            return FORBIDDEN
        status = door.preflight if self.preflight else door.welcome
        assert status is not None
        return status


def cells() -> list[Cell]:
    return [
        Cell(name, host, origin, preflight)
        for name, door in DOORS.items()
        for preflight in (False, True)
        if not preflight or door.preflight is not None
        for host in HOSTS
        for origin in ORIGINS
    ]


async def run(size: Size, directory: Path) -> str:
    chosen = cells()[:: size.every]
    said = []
    for configured in (True, False):
        conf = {"ALLOWED_ORIGINS": ALLOWED} if configured else {}
        where = directory / ("configured" if configured else "unconfigured")
        async with project(where, 1, conf) as served:
            let_in = await _look(served, chosen, configured)
        said.append(
            f"{len(ALLOWED) if configured else 'no'} origins allowed: {len(chosen)} "
            f"cells, {let_in} let in, {len(chosen) - let_in} refused"
        )
    return (
        f"{len(ORIGINS)} origins x {len(HOSTS)} hosts x {len(DOORS)} doors, with "
        f"preflights: each status is the one in the table; {'; '.join(said)}"
    )


async def _look(served: Project, chosen: Sequence[Cell], configured: bool) -> int:
    """Ask every cell; return how many got in. Raises Failed."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(cell: Cell) -> tuple[Cell, raw.Head]:
        async with turns:
            return cell, await _ask(served, cell)

    heads = await asyncio.gather(*map(one, chosen))
    wrong = [
        f"{cell}: {head.status}, not {cell.tabled(configured)}"
        for cell, head in heads
        if head.status != cell.tabled(configured)
    ]
    more = f" ... and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    require(not wrong, "; ".join(wrong[:SHOWN]) + more)
    # Nothing here may tell a browser that a page may read the reply.
    cors = [
        cell for cell, head in heads if "access-control-allow-origin" in head.headers
    ]
    require(not cors, f"told to a page: {cors[:SHOWN]}")
    return sum(head.status not in (FORBIDDEN, BAD_REQUEST) for _, head in heads)


async def _ask(served: Project, cell: Cell) -> raw.Head:
    (member,), door = served.members, DOORS[cell.door]
    headers: list[raw.Header] = [
        ("Host", host.format(port=member.port)) for host in HOSTS[cell.host][0]
    ]
    headers += [("Origin", origin) for origin in ORIGINS[cell.origin][0]]
    if cell.preflight:
        headers += [("Access-Control-Request-Method", door.verb)]
        return await raw.ask(member.port, "OPTIONS", door.path, headers)
    headers += [("Authorization", f"Bearer {served.tokens['alice']}"), *door.headers]
    return await raw.ask(member.port, door.verb, door.path, headers, door.body)
