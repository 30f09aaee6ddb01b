"""T25: a call whose headers and body differ is refused, and never runs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.servers import Served
from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from tests.faults.journal import entries
from tests.faults.verdict import require
from tests.security import doors
from tests.security.header_rows import (
    LEGACY,
    METHOD,
    MODERN,
    OF_SESSION,
    REGION,
    SESSION,
    STATELESS,
    TOOL,
    Row,
)
from tests.serving import daphnes
from tests.wire.raw_socket import Answer, exchange

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Size:
    """Every row is sent ``times`` times to the endpoint under each of ``mounts``."""

    mounts: tuple[str, ...]
    times: int


SMALL = Size(mounts=("lean",), times=1)
FULL = Size(mounts=("lean", "urls"), times=20)


async def run(size: Size, directory: Path) -> str:
    counted: Counter[str] = Counter()
    for mount in size.mounts:
        place = directory / mount
        place.mkdir()
        journal = place / "journal.jsonl"
        environ = {
            "DJANGO_SETTINGS_MODULE": "tests.security.target.settings",
            "SECURITY_JOURNAL": str(journal),
        }
        application = f"tests.security.target.asgi:{mount}"
        with daphnes(1, application, place, environ=environ) as (served,):
            async with doors.streamable(served, LEGACY.decode()) as door:
                session = door.session["Mcp-Session-Id"].encode()
                expected = [
                    call
                    for number in range(size.times)
                    for row in (*STATELESS, *OF_SESSION)
                    if _sent(served, row, session, call := f"{row.what} {number}")
                ]
            require("Traceback" not in served.said(), f"{mount}: a traceback")
        ran = [entry["call"] for entry in entries(journal)]
        require(ran == expected, f"{mount}: ran {set(ran) ^ set(expected)}")
        counted["ran"] += len(ran)
        counted["sent"] += size.times * len(STATELESS + OF_SESSION)
    return (
        f"{len(STATELESS + OF_SESSION)} requests under {len(size.mounts)} mounts, "
        f"{counted['sent']} in all: {counted['sent'] - counted['ran']} differ and were "
        f"refused, each with its status and code, and none of them ran; "
        f"{counted['ran']} agree and ran once each"
    )


def _sent(served: Served, row: Row, session: bytes, call: str) -> bool:
    """Send a row, and tell whether it is to run. Raises Failed."""
    answer = exchange(served.port, _request(served, row, session, call))
    require(answer is not None, f"{call}: no answer")
    assert answer is not None
    found = (answer.status, _code(answer))
    expected = (row.status, row.code)
    require(found == expected, f"{call}: {found} is not {expected}: {answer.body!r}")
    return row.runs


def _code(answer: Answer) -> int | None:
    is_ours = answer.headers.get("Content-Type") == "application/json"
    return answer.code if is_ours else 0


def _request(served: Served, row: Row, session: bytes, call: str) -> bytes:
    body = _body(row, call)
    headers = {
        b"Host": b"127.0.0.1:%d" % served.port,
        **{name.encode(): value.encode() for name, value in doors.POSTED.items()},
        b"Content-Length": b"%d" % len(body),
        b"Connection": b"close",
        **(_session_headers(session) if row.session else _headers()),
    }
    replaced = row.name.lower()
    lines = [
        b"%b: %b" % item for item in headers.items() if item[0].lower() != replaced
    ]
    lines += [
        b"%b: %b" % (row.name, value.replace(SESSION, session)) for value in row.values
    ]
    return b"\r\n".join([b"POST /mcp HTTP/1.1", *lines, *row.also, b"", body])


def _headers() -> dict[bytes, bytes]:
    return {
        b"Mcp-Protocol-Version": MODERN,
        b"Mcp-Method": METHOD,
        b"Mcp-Name": TOOL,
        b"Mcp-Param-Region": REGION,
    }


def _session_headers(session: bytes) -> dict[bytes, bytes]:
    return {b"Mcp-Session-Id": session, b"Mcp-Protocol-Version": LEGACY}


def _body(row: Row, call: str) -> bytes:
    arguments = {"call": call, "region": REGION.decode()}
    params: Json = {"name": TOOL.decode(), "arguments": arguments}
    if not row.session:
        params["_meta"] = {VERSION_KEY: MODERN.decode(), CAPABILITIES_KEY: {}}
    message = {"jsonrpc": "2.0", "id": call, "method": METHOD.decode()}
    return json.dumps({**message, "params": params}).encode()
