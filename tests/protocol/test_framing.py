from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_transport.protocol.errors import INVALID_REQUEST, ProtocolError
from mcp_transport.protocol.framing import (
    LineDecoder,
    SSEDecoder,
    SSEEvent,
    frame_line,
    sse_comment,
    sse_event,
)
from mcp_transport.protocol.messages import dumps, loads

HOSTILE = "\r\n\rdata: x\n\nevent: y\nid: z\u2028\u2029\u0085\0\x0b\x0c\x1c\ufeff\ud800"


def read(*chunks: bytes) -> list[SSEEvent]:
    decoder = SSEDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def event(data: bytes, **changes: Any) -> SSEEvent:
    given: dict[str, Any] = {"event": "message", "id": "", "retry_ms": None}
    return SSEEvent(data=data, **(given | changes))


# writing events


def test_an_event_is_written_field_by_field() -> None:
    assert sse_event(b"{}") == b"event: message\ndata: {}\n\n"
    assert sse_event(b"/message", event="endpoint", id="e:1", retry_ms=0) == (
        b"event: endpoint\nid: e:1\nretry: 0\ndata: /message\n\n"
    )


def test_an_event_that_primes_a_stream_has_an_id_and_no_data() -> None:
    assert sse_event(b"", event=None, id="x") == b"id: x\ndata: \n\n"
    assert read(sse_event(b"", event=None, id="x")) == [event(b"", id="x")]


@pytest.mark.parametrize(
    "text", ["\n", "\r", "\0", "a\nb", "a\r\n", "\0x", "x\n\ndata:"]
)
def test_event_and_id_cannot_smuggle_lines(text: str) -> None:
    with pytest.raises(ValueError, match="line end or NUL"):
        sse_event(b"{}", event=text)
    with pytest.raises(ValueError, match="line end or NUL"):
        sse_event(b"{}", id=text)


@pytest.mark.parametrize("data", [b"\n", b"\r", b"{\n}", b"{}\r", b"\n\nid: x"])
def test_data_of_more_than_one_line_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="one line"):
        sse_event(data)
    with pytest.raises(ValueError, match="one line"):
        frame_line(data)


def test_a_negative_retry_is_refused() -> None:
    with pytest.raises(ValueError, match="retry_ms"):
        sse_event(b"", retry_ms=-1)


def test_a_comment_is_no_event() -> None:
    assert read(sse_comment()) == []
    assert read(sse_comment(), sse_event(b"1"), sse_comment()) == [event(b"1")]


def test_hostile_text_in_a_message_stays_in_its_message() -> None:
    messages = [{"text": HOSTILE}, {HOSTILE: 1}, {"text": "plain"}]
    stream = b"".join(sse_event(dumps(message)) for message in messages)
    mended = HOSTILE.replace("\ud800", "\ufffd")
    expected = [{"text": mended}, {mended: 1}, {"text": "plain"}]
    assert [loads(got.data) for got in read(*bytewise(stream))] == expected


def test_hostile_text_without_line_ends_survives_in_ids() -> None:
    id = "\u2028\u2029\u0085\x0b\x1c: id:"
    assert read(sse_event(b"1", id=id)) == [event(b"1", id=id)]


fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))


@given(
    st.lists(
        st.tuples(
            fields.filter(bool), fields, st.integers(0, 10**6), st.text().map(dumps)
        )
    ),
    st.data(),
)
def test_events_survive_any_cuts(
    given_events: list[tuple[str, str, int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(
        sse_event(body, event=kind, id=id, retry_ms=retry)
        for kind, id, retry, body in given_events
    )
    cuts = data.draw(st.lists(st.integers(0, len(stream))))
    edges = sorted([0, *cuts, len(stream)])
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert read(*chunks) == [
        SSEEvent(kind, body, id, retry) for kind, id, retry, body in given_events
    ]


# reading events: the examples of the standard, then its rules


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize(
    ("lines", "events"),
    [
        ([b"data: YHOO", b"data: +2", b"data: 10", b""], [event(b"YHOO\n+2\n10")]),
        (
            [b": test stream", b"", b"data: first event", b"id: 1", b""]
            + [b"data:second event", b"id", b"", b"data:  third event"],
            [event(b"first event", id="1"), event(b"second event")],
        ),
        ([b"data", b"", b"data", b"data", b"", b"data:"], [event(b""), event(b"\n")]),
        ([b"data:test", b"", b"data: test", b""], [event(b"test"), event(b"test")]),
        ([b"event: add", b"data: 1", b"", b"data: 2", b""], [
            event(b"1", event="add"),
            event(b"2"),
        ]),
        ([b"event: add", b"", b"data: 2", b""], [event(b"2")]),
        ([b"event:", b"data: 1", b""], [event(b"1")]),
        ([b"event: a", b"event: b", b"data: 1", b""], [event(b"1", event="b")]),
        ([b"id: a", b"data: 1", b"", b"data: 2", b""], [
            event(b"1", id="a"),
            event(b"2", id="a"),
        ]),
        ([b"id: a", b"id: b\0", b"data: 1", b""], [event(b"1", id="a")]),
        ([b"retry: 10", b"data: 1", b"", b"data: 2", b""], [
            event(b"1", retry_ms=10),
            event(b"2"),
        ]),
        ([b" data: 1", b"Data: 2", b"data : 3", b"foo: 4", b"foo", b""], []),
        ([b":", b":data: 1", b": data: 2", b""], []),
        ([b"data: a: b", b""], [event(b"a: b")]),
        ([b"data: 1"], []),
    ],
)  # fmt: skip
def test_the_standard_is_followed_at_any_line_end(
    lines: list[bytes], events: list[SSEEvent], end: bytes
) -> None:
    stream = b"".join(line + end for line in lines)
    assert read(stream) == events
    assert read(*bytewise(stream)) == events


def test_crlf_split_across_chunks_is_one_line_end() -> None:
    assert read(b"data: 1\r", b"\ndata: 2\r", b"\n\r", b"\n") == [event(b"1\n2")]
    assert read(b"data: 1\r", b"", b"\n", b"data: 2\r\n\r\n") == [event(b"1\n2")]
    assert read(b"data: 1\r", b"\r", b"data: 2\r\r") == [event(b"1"), event(b"2")]
    assert read(b"data: 1\n", b"\r", b"\n") == [event(b"1")]


def test_line_ends_may_be_mixed() -> None:
    assert read(b"data: 1\rdata: 2\ndata: 3\r\n\n") == [event(b"1\n2\n3")]


@pytest.mark.parametrize("cut", range(5))
def test_one_byte_order_mark_at_the_start_is_skipped(cut: int) -> None:
    bom = b"\xef\xbb\xbf"
    stream = bom + b"data: 1\n\n" + bom + b"data: 2\n\n"
    assert read(stream[:cut], stream[cut:]) == [event(b"1")]
    assert read(bom + bom + b"data: 1\n\n") == []


@pytest.mark.parametrize(
    "value",
    [b"-1", b"+1", b"1.5", b"1e3", b"", b" 1", b"1 ", b"x", b"\xd9\xa1", b"9" * 5000],
)
def test_a_retry_that_is_not_all_digits_or_endless_is_ignored(value: bytes) -> None:
    decoder = SSEDecoder()
    events = decoder.feed(b"retry: 7\nretry: " + value + b"\ndata: 1\n\n")
    assert events == [event(b"1", retry_ms=7)]
    assert decoder.retry_ms == 7


def test_id_and_retry_without_data_are_remembered_for_reconnecting() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"id: a\nretry: 500\n") == []
    assert (decoder.last_event_id, decoder.retry_ms) == ("", 500)
    assert decoder.feed(b"\n") == []
    assert (decoder.last_event_id, decoder.retry_ms) == ("a", 500)
    assert decoder.feed(b"data: 1\n\n") == [event(b"1", id="a")]


def test_an_event_that_was_cut_off_leaves_the_last_id_alone() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"id: a\ndata: 1\n\nid: b\ndata: 2\n") == [event(b"1", id="a")]
    assert decoder.last_event_id == "a"


def test_broken_utf_8_is_kept_in_data_and_replaced_in_names() -> None:
    stream = b"event: \xff\nid: \xff\ndata: \xff\n\n"
    assert read(stream) == [event(b"\xff", event="\ufffd", id="\ufffd")]


@given(st.lists(st.binary()))
def test_any_bytes_are_read_alike_however_cut(chunks: list[bytes]) -> None:
    assert read(*chunks) == read(b"".join(chunks))


# lines


def feed(decoder: LineDecoder, *chunks: bytes) -> list[bytes | str]:
    """The lines, and the text of each error in its place."""
    found: list[bytes | str] = []
    for chunk in chunks:
        for item in decoder.feed(chunk):
            if isinstance(item, ProtocolError):
                assert item.code == INVALID_REQUEST
                found.append(item.message)
            else:
                found.append(item)
    return found


TOO_LONG = "A message has at most 8 bytes"


def test_a_line_is_written_with_its_end() -> None:
    assert frame_line(b"{}") == b"{}\n"


def test_lines_are_read_however_cut() -> None:
    stream = b"one\ntwo\r\nthree\n"
    assert feed(LineDecoder(8), stream) == [b"one", b"two", b"three"]
    assert feed(LineDecoder(8), *bytewise(stream)) == [b"one", b"two", b"three"]


def test_an_unfinished_line_waits_for_its_end() -> None:
    decoder = LineDecoder(8)
    assert feed(decoder, b"on", b"", b"e") == []
    assert feed(decoder, b"\ntw") == [b"one"]
    assert feed(decoder, b"o\n") == [b"two"]


def test_blank_lines_are_skipped() -> None:
    assert feed(LineDecoder(8), b"\n\r\n \t\n\n1\n\n") == [b"1"]


def test_only_lf_ends_a_line() -> None:
    odd = b"\r\x0b\x0c\x1c\x85\xe2\x80\xa8"
    assert feed(LineDecoder(99), b"a" + odd + b"b\n") == [b"a" + odd + b"b"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_may_have_exactly_max_bytes(end: bytes) -> None:
    stream = b"x" * 8 + end + b"y" * 9 + end + b"z" * 8 + end
    expected = [b"x" * 8, TOO_LONG, b"z" * 8]
    assert feed(LineDecoder(8), stream) == expected
    assert feed(LineDecoder(8), *bytewise(stream)) == expected


def test_lines_around_one_that_is_too_long_are_not_lost() -> None:
    stream = b"1\n" + b"x" * 1_000 + b"\n2\n" + b"y" * 1_000 + b"\n3\n"
    expected = [b"1", TOO_LONG, b"2", TOO_LONG, b"3"]
    assert feed(LineDecoder(8), stream) == expected
    assert feed(LineDecoder(8), *bytewise(stream)) == expected


def test_a_line_is_refused_once_and_before_it_ends() -> None:
    decoder = LineDecoder(8)
    assert feed(decoder, b"x" * 9) == [TOO_LONG]
    assert feed(decoder, b"x" * 9, b"x" * 9, b"\r") == []
    assert feed(decoder, b"\n1\n") == [b"1"]


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_bytes"):
        LineDecoder(0)


lines = st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))


@given(st.lists(lines), st.data())
def test_lines_survive_any_cuts(given_lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in given_lines)
    cuts = data.draw(st.lists(st.integers(0, len(stream))))
    edges = sorted([0, *cuts, len(stream)])
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    stripped = [line.removesuffix(b"\r") for line in given_lines]
    assert feed(LineDecoder(8), *chunks) == [
        line if len(line) <= 8 else TOO_LONG
        for line in stripped
        if line.strip() or len(line) > 8
    ]


def test_many_tiny_chunks_take_linear_work() -> None:
    # Were each chunk joined to what came before, this would copy 100 GB.
    size = 500_000
    decoder, sse = LineDecoder(size), SSEDecoder()
    for _ in range(size):
        assert decoder.feed(b"x") == []
        assert sse.feed(b"x") == []
    assert decoder.feed(b"\n") == [b"x" * size]
    assert sse.feed(b"\ndata: 1\n\n") == [event(b"1")]
