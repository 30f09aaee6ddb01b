from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from mcp_transport.protocol.errors import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ProtocolError,
    invalid_params,
)
from mcp_transport.protocol.messages import (
    MAX_DEPTH,
    MAX_NODES,
    Notification,
    Request,
    Response,
    dumps,
    encode_error,
    encode_notification,
    encode_request,
    encode_response,
    loads,
    parse,
)

TOO_DEEP = "Parse error: nested deeper than 64 levels"
TOO_MANY = "Parse error: more than 20000 values"
REPEATS = "Parse error: an object repeats a key"
BEYOND = "Parse error: number out of range"
MARKED = "Parse error: JSON must be UTF-8 without a byte order mark"
MIB = 1024 * 1024

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


def parse_error(data: bytes) -> str:
    with pytest.raises(ProtocolError) as caught:
        loads(data)
    assert caught.value.code == PARSE_ERROR
    assert caught.value.request_id is None
    return caught.value.message


def invalid(body: object) -> ProtocolError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ProtocolError) as caught:
        parse(data)
    assert caught.value.code == INVALID_REQUEST
    return caught.value


def message(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **members}


# loads


@given(trees)
def test_loads_agrees_with_the_standard_library_on_what_it_accepts(tree: Any) -> None:
    assert loads(json.dumps(tree).encode()) == tree
    assert loads(json.dumps(tree, ensure_ascii=False).encode()) == tree


@given(st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
@example(b'{"a":1,"a":1}')
def test_random_bytes_into_parse_only_ever_raise_protocol_errors(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(data)
    assert caught.value.code in (PARSE_ERROR, INVALID_REQUEST)


@given(
    st.lists(
        st.sampled_from(
            ["{", "}", "[", "]", ",", ":", '"', '"a"', "1", "1e400", "-", "null"]
            + ["\\", "\\u003a", "\\ud800", '"jsonrpc":"2.0"', '"method":"m"', '"id":1']
        ),
        max_size=40,
    ).map("".join)
)
@settings(max_examples=500)
def test_json_like_text_into_parse_only_ever_raises_protocol_errors(text: str) -> None:
    try:
        parsed = parse(text.encode())
    except ProtocolError as error:
        assert error.code in (PARSE_ERROR, INVALID_REQUEST)
    else:
        assert isinstance(parsed, Request | Notification | Response | tuple)


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"{", b'{"a":1,}', b"[1 2]", b"1 2", b"{'a':1}", b"01", b"+1", b".1"]
    + [b"1.", b"nul", b"tRUE", b"/**/1", b'"\x01"', b'"a', b'{"a"}', b"\x00", b"1\x00"],
)
def test_broken_syntax_is_a_parse_error_that_says_where(data: bytes) -> None:
    assert " at line 1 column " in parse_error(data)


@pytest.mark.parametrize(
    "data", [b"NaN", b"Infinity", b"-Infinity", b'{"a":NaN}', b"[-Infinity]"]
)
def test_constants_that_are_not_json_are_parse_errors(data: bytes) -> None:
    parse_error(data)


@pytest.mark.parametrize(
    "data",
    [b"1e400", b"-1e400", b'{"a":[1e309]}', b"[1E+400]", b"1" + b"0" * 400 + b".0"],
)
def test_numbers_beyond_a_double_are_parse_errors(data: bytes) -> None:
    assert parse_error(data) == BEYOND


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"1e308", 1e308), (b"1e-400", 0.0), (b'"1e400"', "1e400"), (b"-0", 0)],
)
def test_numbers_and_texts_that_fit_are_kept(data: bytes, value: object) -> None:
    assert loads(data) == value


def test_integers_have_at_most_4300_digits() -> None:
    assert loads(b"9" * 4300) == 10**4300 - 1
    assert loads(b"-" + b"9" * 4300) == 1 - 10**4300
    assert "number out of range" in parse_error(b"9" * 4301)
    assert "number out of range" in parse_error(b"[-" + b"9" * 4301 + b"]")


@pytest.mark.parametrize(
    "data",
    [rb'"\ud800"', rb'"\udc00"', rb'"\udc00\ud800"', rb'{"\ud800":1}', rb'"\ud800x"'],
)
def test_lone_surrogates_are_parse_errors(data: bytes) -> None:
    parse_error(data)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert loads(rb'"\ud83d\ude00"') == "\U0001f600"


@pytest.mark.parametrize(
    "data", [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xe2']
)
def test_what_is_not_utf_8_is_a_parse_error(data: bytes) -> None:
    parse_error(data)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-le"])
def test_a_byte_order_mark_is_refused_by_name(encoding: str) -> None:
    data = "\ufeff{}" if encoding == "utf-32-le" else "{}"
    assert parse_error(data.encode(encoding)) == MARKED


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-be"])
def test_other_encodings_without_a_mark_are_parse_errors(encoding: str) -> None:
    parse_error('{"a":1}'.encode(encoding))


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_limited(opening: bytes, closing: bytes) -> None:
    for depth in (1, MAX_DEPTH):
        inner = b"0" if opening != b"[" else b""
        loads(opening * depth + inner + closing * depth)
    for depth in (MAX_DEPTH + 1, 200, 201, 10_000):
        inner = b"0" if opening != b"[" else b""
        assert parse_error(opening * depth + inner + closing * depth) == TOO_DEEP


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'[{"a":', b"[[],"])
def test_a_mebibyte_of_openings_is_refused(unit: bytes) -> None:
    assert parse_error(unit * (MIB // len(unit))) == TOO_DEEP


def test_the_number_of_values_is_limited() -> None:
    assert len(loads(json.dumps([0] * (MAX_NODES - 1)).encode())) == MAX_NODES - 1
    assert parse_error(json.dumps([0] * MAX_NODES).encode()) == TOO_MANY
    assert parse_error(json.dumps([[], {}] * MAX_NODES).encode()) == TOO_MANY
    members = {str(n): [n] for n in range(MAX_NODES // 2)}
    assert parse_error(json.dumps(members).encode()) == TOO_MANY


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'[[{"b":{"a":1,"c":2,"a":3}}]]',
        rb'{"a":1,"\u0061":2}',
        # Colons in strings, plain and escaped, that might hide the missing one.
        b'{"a":":","a":":"}',
        b'{"a:":1,"a:":2}',
        rb'{"a":"\u003a","a":"\u003a"}',
        rb'{"a":"\u003a\u003A","a":":"}',
        rb'{"a":"\\u003a","a":1}',
        b'{"a":{"x":1},"a":{"x":1},"u":"a:b"}',
        b'{"":0,"":0}',
    ],
)
def test_repeated_keys_are_parse_errors(data: bytes) -> None:
    assert parse_error(data) == REPEATS


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"a": {"a": 1}}},
        [{"a": 1}, {"a": 2}],
        {"uri": "order://7", "time": "12:30:00", ":": "::"},
        {"a": "\\u003a"},
        {"A": 1, "a": 2},
    ],
)
def test_keys_that_differ_or_lie_in_other_objects_are_no_repeats(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value


def test_an_escaped_colon_is_read() -> None:
    assert loads(rb'{"a\u003ab":"\u003A"}') == {"a:b": ":"}


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", ":", "c:", "d"]), scalars), max_size=5
    ),
    st.booleans(),
)
def test_keys_are_refused_exactly_when_one_repeats(
    pairs: list[tuple[str, Any]], escaped: bool
) -> None:
    colon = "\\u003a" if escaped else ":"
    members = [
        ":".join(json.dumps(part).replace(":", colon) for part in pair)
        for pair in pairs
    ]
    text = "{" + ",".join(members) + "}"
    if len(dict(pairs)) == len(pairs):
        assert loads(text.encode()) == dict(pairs)
    else:
        assert parse_error(text.encode()) == REPEATS


# parse


def test_a_request_is_read() -> None:
    body = message(id=7, method="tools/call", params={"name": "a"})
    assert parse(dumps(body)) == Request(7, "tools/call", {"name": "a"})


def test_params_are_empty_when_absent() -> None:
    assert parse(dumps(message(id="x", method="ping"))) == Request("x", "ping", {})
    assert parse(dumps(message(method="m"))) == Notification("m", {})


def test_unknown_members_are_tolerated_and_names_respect_case() -> None:
    body = message(id=1, method="m", extra=[1], Params=[], Result=1, ID=None)
    assert parse(dumps(body)) == Request(1, "m", {})


@pytest.mark.parametrize("id", [0, -1, 2**63, 10**4000, "", "0", "\u2028", "a\0b"])
def test_ids_are_strings_and_integers(id: int | str) -> None:
    request = parse(dumps(message(id=id, method="m")))
    assert isinstance(request, Request)
    assert (request.id, type(request.id)) == (id, type(id))


@pytest.mark.parametrize("id", [None, True, False, 1.0, 1.5, [], {}, [1]])
def test_other_ids_are_invalid_and_not_echoed(id: object) -> None:
    error = invalid(message(id=id, method="m"))
    assert error.message == "Invalid request: id must be a string or an integer"
    assert error.request_id is None


@pytest.mark.parametrize("version", [None, "1.0", "2", 2, 2.0, "2.0 ", ["2.0"]])
def test_jsonrpc_must_be_exactly_2_0(version: object) -> None:
    error = invalid({"jsonrpc": version, "id": "q", "method": "m"})
    assert error.message == 'Invalid request: jsonrpc must be "2.0"'
    assert error.request_id == "q"


def test_jsonrpc_must_be_there() -> None:
    assert invalid({"id": 3, "method": "m"}).request_id == 3
    assert invalid({"JSONRPC": "2.0", "id": 3, "method": "m"}).request_id == 3


@pytest.mark.parametrize("method", [None, 1, True, [], {}])
def test_method_must_be_a_string(method: object) -> None:
    assert invalid(message(id=3, method=method)).request_id == 3


@pytest.mark.parametrize("params", [None, [], [1], "a", 0, False])
def test_params_must_be_an_object(params: object) -> None:
    error = invalid(message(id=3, method="m", params=params))
    assert error.message == "Invalid request: params must be an object"
    assert error.request_id == 3
    assert invalid(message(method="m", params=params)).request_id is None


@pytest.mark.parametrize("member", ["result", "error"])
@pytest.mark.parametrize("value", [None, {}, {"code": 1, "message": ""}])
def test_a_request_that_is_also_an_answer_is_invalid(member: str, value: Any) -> None:
    error = invalid({**message(id=4, method="m"), member: value})
    assert error.request_id == 4


def test_results_and_errors_are_read() -> None:
    failure = {"code": -1, "message": "no", "data": [1]}
    assert parse(dumps(message(id=1, result={}))) == Response(1, {}, None)
    assert parse(dumps(message(id="a", error=failure))) == Response("a", None, failure)


def test_only_an_error_may_lack_an_id() -> None:
    failure = {"code": -1, "message": ""}
    assert parse(dumps(message(id=None, error=failure))) == Response(
        None, None, failure
    )
    assert parse(dumps(message(error=failure))) == Response(None, None, failure)
    invalid(message(id=None, result={}))
    invalid(message(result={}))


@pytest.mark.parametrize("id", [True, 1.0, [], {}])
def test_answers_have_the_ids_of_requests(id: object) -> None:
    invalid(message(id=id, result={}))
    invalid(message(id=id, error={"code": 1, "message": ""}))


@pytest.mark.parametrize(
    "members",
    [
        {"result": {}, "error": {"code": 1, "message": ""}},
        {"result": {}, "error": None},
        {"result": None, "error": {"code": 1, "message": ""}},
        {"result": None},
        {"result": []},
        {"result": "ok"},
        {"error": None},
        {"error": "no"},
        {"error": {}},
        {"error": {"code": 1}},
        {"error": {"message": ""}},
        {"error": {"code": "1", "message": ""}},
        {"error": {"code": 1.0, "message": ""}},
        {"error": {"code": True, "message": ""}},
        {"error": {"code": 1, "message": None}},
    ],
)
def test_broken_answers_are_invalid_and_their_id_is_not_sent_back(
    members: dict[str, Any],
) -> None:
    assert invalid(message(id=1, **members)).request_id is None


def test_a_message_of_no_kind_is_invalid() -> None:
    error = invalid(message(id=1))
    assert error.request_id == 1
    assert error.message == (
        "Invalid request: A message has one of method, result and error"
    )
    invalid({})


@pytest.mark.parametrize("body", [0, 1.5, "a", True, None])
def test_a_scalar_is_no_message(body: object) -> None:
    assert invalid(body).message == "A message must be a JSON object"


def test_a_batch_is_a_tuple_in_order() -> None:
    batch = [message(id=1, method="a"), message(method="b"), message(id=2, result={})]
    assert parse(dumps(batch)) == (
        Request(1, "a", {}),
        Notification("b", {}),
        Response(2, {}, None),
    )


def test_an_empty_batch_is_invalid() -> None:
    assert invalid([]).message == "A batch must not be empty"


def test_what_is_no_message_in_a_batch_is_an_error_in_its_place() -> None:
    good = message(id=1, method="a")
    batch = parse(dumps([1, good, [good], message(id=5, method=0), None]))
    assert isinstance(batch, tuple)
    errors = [item for item in batch if isinstance(item, ProtocolError)]
    assert [isinstance(item, ProtocolError) for item in batch] == [1, 0, 1, 1, 1]
    assert {error.code for error in errors} == {INVALID_REQUEST}
    assert [error.request_id for error in errors] == [None, None, 5, None]
    assert batch[1] == Request(1, "a", {})


def test_a_parse_error_anywhere_spoils_the_whole_batch() -> None:
    good = dumps(message(id=1, method="a"))
    assert parse_error(b"[" + good + b',{"a":1,"a":2}]') == REPEATS


# dumps and encode


@given(trees)
def test_dumps_and_loads_are_inverse(tree: Any) -> None:
    data = dumps(tree)
    assert loads(data) == tree
    assert b"\n" not in data and b"\r" not in data


def test_numbers_that_json_lacks_become_null() -> None:
    assert dumps([math.inf, -math.inf, {"a": math.nan}]) == b'[null,null,{"a":null}]'
    assert dumps(["\ud800", math.nan]) == b'["\xef\xbf\xbd",null]'


class Note(BaseModel):
    text: str


@pytest.mark.parametrize(
    ("value", "mended"),
    [
        ("\ud800", "\ufffd"),
        (["a\udc00b", 1], ["a\ufffdb", 1]),
        (("\udfff",), ["\ufffd"]),
        ({"k\ud800": {"v": "\ud800"}}, {"k\ufffd": {"v": "\ufffd"}}),
        ("\ud83d\ude00", "\U0001f600"),
        ({"note": Note(text="\ud800")}, {"note": {"text": "\ufffd"}}),
        (
            [1, None, True, 1.5, "\ud800", "\u2028"],
            [1, None, True, 1.5, "\ufffd", "\u2028"],
        ),
    ],
)
def test_lone_surrogates_are_replaced(value: Any, mended: Any) -> None:
    assert loads(dumps(value)) == mended


@given(st.recursive(st.text(), st.lists, max_leaves=5))
def test_any_text_can_be_written(value: Any) -> None:
    loads(dumps(value))


def test_what_has_no_json_form_is_an_error() -> None:
    circle: list[Any] = ["\u00e4"]
    circle.append(circle)
    for value in (object(), [object(), "\ud800"], circle):
        with pytest.raises(PydanticSerializationError):
            dumps(value)


def test_responses_are_encoded_from_objects_and_from_bytes() -> None:
    expected = b'{"jsonrpc":"2.0","id":7,"result":{"a":[1]}}'
    assert encode_response(7, {"a": [1]}) == expected
    assert encode_response(7, b'{"a":[1]}') == expected
    assert encode_response('"%b\n', {}) == (
        b'{"jsonrpc":"2.0","id":"\\"%b\\n","result":{}}'
    )


def test_errors_are_encoded_with_their_data_and_without_an_unreadable_id() -> None:
    assert encode_error("a", invalid_params("no", {"uri": "x"})) == (
        b'{"jsonrpc":"2.0","id":"a","error":'
        b'{"code":-32602,"message":"no","data":{"uri":"x"}}}'
    )
    assert encode_error(None, ProtocolError(PARSE_ERROR, "bad")) == (
        b'{"jsonrpc":"2.0","error":{"code":-32700,"message":"bad"}}'
    )


def test_requests_and_notifications_leave_out_empty_params() -> None:
    assert encode_request(1, "ping", {}) == b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert encode_notification("n", {"a": 1}) == (
        b'{"jsonrpc":"2.0","method":"n","params":{"a":1}}'
    )


@given(
    st.integers() | st.text(),
    st.text(),
    st.dictionaries(st.text(), st.recursive(st.text() | st.integers(), st.lists)),
)
def test_what_is_encoded_is_parsed_again(id: Any, method: str, params: Any) -> None:
    fixed = loads(dumps([id, method, params]))
    assert parse(encode_request(id, method, params)) == Request(*fixed)
    assert parse(encode_notification(method, params)) == Notification(*fixed[1:])
    assert parse(encode_response(id, params)) == Response(fixed[0], fixed[2], None)


def test_messages_are_values() -> None:
    request = Request(1, "m", {})
    assert request == Request(1, "m", {}) != Request(2, "m", {})
    with pytest.raises(AttributeError):
        request.id = 2  # type: ignore[misc]
