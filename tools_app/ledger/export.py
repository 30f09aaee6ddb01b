"""Calls as CSV, sent as they are read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from tools_app.models import Call

CHUNK_ROWS = 500
# What each column has, as a query names it.
COLUMNS = {
    "at": "at",
    "outcome": "outcome",
    "method": "method",
    "name": "name",
    "subject": "subject",
    "user": f"user__{get_user_model().USERNAME_FIELD}",
    "token": "token__public_id",
    "actor": "actor",
    "client": "client",
    "door": "door",
    "revision": "revision",
    "session_id": "session_id",
    "duration_ms": "duration_ms",
    "sent_bytes": "sent_bytes",
    "error_code": "error_code",
    "error": "error",
    "trace_id": "trace_id",
    "arguments": "arguments",
}
# What a spreadsheet would take for the begin of a formula, which a caller could have
# written: of a cell, or of one that it sees behind a separator of its own.
_FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n|]))(?=\s*[=+\-@\t\r\n＝＋－＠])")

Row = Sequence[Any]


def exported(calls: QuerySet[Call], request: HttpRequest) -> StreamingHttpResponse:
    """Return the answer to ``request`` that sends ``calls`` as a file.

    Whatever their number, few are in memory at a time.
    """
    chunks = _chunks(calls.values_list(*COLUMNS.values()))
    # Under ASGI Django would read a plain iterator to its end before it sends any.
    is_async = isinstance(request, ASGIRequest)
    return StreamingHttpResponse(
        _one_by_one(chunks) if is_async else chunks,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": "attachment; "
            f'filename="calls-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        },
    )


def _chunks(calls: Any) -> Iterator[str]:
    yield _lines([list(COLUMNS)])
    rows: list[Row] = []
    for row in calls.iterator(CHUNK_ROWS):
        rows.append(row)
        if len(rows) == CHUNK_ROWS:
            yield _lines(rows)
            rows.clear()
    yield _lines(rows)


async def _one_by_one(chunks: Iterator[str]) -> AsyncIterator[str]:
    take = sync_to_async(partial(next, chunks, None))
    while (chunk := await take()) is not None:
        yield chunk


def _lines(rows: Iterable[Row]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(map(_cell, row) for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    return _FORMULA.sub("'", value) if isinstance(value, str) else value
