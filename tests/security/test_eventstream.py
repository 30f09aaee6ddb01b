"""The strict reader sees what does not belong into a stream."""

from __future__ import annotations

import pytest

from tests.faults.verdict import Failed
from tests.security.eventstream import EventStream, ServerSent, read_all

GOOD = b'event: message\nid: s-0.1\nretry: 5\ndata: {"a":"\xe2\x80\xa8"}\n\n'
EVENT = ServerSent("message", "s-0.1", "5", '{"a":"\u2028"}')


def test_events_are_read_however_they_are_cut() -> None:
    stream, body = EventStream(), b":\n\n" + GOOD * 2
    events = [event for n in range(len(body)) for event in stream.feed(body[n : n + 1])]
    assert events == [EVENT, EVENT]
    assert stream.is_between


@pytest.mark.parametrize(
    "body",
    [
        b"data: a\r\n\r\n",
        b"data: a\0b\n\n",
        b"data: a\ndata: b\n\n",
        b"data: a\nb\n\n",
        b"data:a\n\n",
        b"data\n\n",
        b": a comment that says more\n\n",
        b"\xef\xbb\xbfdata: a\n\n",
        b"other: a\n\n",
        b"\n\ndata: a\n\n",
        b"data: a\n",
        GOOD[:-1],
    ],
)
def test_nothing_else_is_read(body: bytes) -> None:
    with pytest.raises(Failed):
        read_all(body)
