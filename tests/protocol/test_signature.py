from __future__ import annotations

import datetime
import decimal
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, WithJsonSchema, field_validator

from mcp_transport.protocol.schema import header_params
from mcp_transport.protocol.signature import Parameters
from mcp_transport.protocol.wording import ArgumentError
from tests.protocol.types_of_users import (
    Address,
    Color,
    Dog,
    Loose,
    Node,
    Order,
    Pet,
)

if TYPE_CHECKING:
    from decimal import Decimal as OnlyWhenChecking


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def is_even(cls, number: int) -> int:
        if number % 2:
            raise ValueError("should be even")
        return number


@dataclass
class Point:
    x: float
    y: float = 0.0


LIMIT: Any = Field(default=5, ge=1)


class Opaque:
    pass


def count(
    ctx: Opaque,
    order_id: int,
    status: Literal["open", "sent"] | None = None,
    limit: Annotated[int, Field(ge=1, le=50, description="at most")] = 10,
    *,
    title: str = "x",
) -> int:
    """Count.

    Args:
        ctx: not for the model.
        order_id: the order's number.
        limit: what Field says is nearer.
        gone: no such argument.
    """
    return 0


def test_a_signature_is_an_input_schema() -> None:
    parameters = Parameters.of(count, skip={"ctx"})
    assert parameters.names == ("order_id", "status", "limit", "title")
    assert parameters.schema == {
        "type": "object",
        "properties": {
            "order_id": {"type": "integer", "description": "the order's number."},
            "status": {"type": ["string", "null"], "enum": ["open", "sent", None]},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": 50,
                "description": "at most",
                "default": 10,
            },
            "title": {"type": "string", "default": "x"},
        },
        "required": ["order_id"],
        "additionalProperties": False,
    }


def test_no_parameters_are_a_closed_empty_object() -> None:
    def nothing() -> None: ...

    parameters = Parameters.of(nothing)
    assert parameters.schema == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }
    assert parameters.validate({}) == {}
    with pytest.raises(ArgumentError, match="a: unknown argument; there are no"):
        parameters.validate({"a": 1})


def test_a_header_is_declared_by_field_and_never_null() -> None:
    mark = Field(json_schema_extra={"x-mcp-header": "Region"})

    def function(a: str, b: str | None = None) -> None: ...

    for name in "ab":
        function.__annotations__ = {
            "a": Annotated[str, mark] if name == "a" else str,
            "b": Annotated[str | None, mark] if name == "b" else str,
        }
        parameters = Parameters.of(function)
        marked = {"type": "string", "x-mcp-header": "Region"}
        assert parameters.schema["properties"][name] == marked
        assert header_params(parameters.schema)[0].path == (name,)
    assert parameters.validate({"a": "x", "b": None}) == {"a": "x", "b": None}


def test_recursive_arguments_refer_to_definitions_beside_them() -> None:
    def walk(node: Node, pet: Pet) -> None: ...

    schema = Parameters.of(walk).schema
    assert schema["properties"]["node"] == {"$ref": "#/$defs/Node"}
    assert set(schema["$defs"]) == {"Node", "Cat", "Dog"}


def test_an_argument_may_have_a_name_that_python_forbids() -> None:
    def move(from_: Annotated[str, Field(alias="from")]) -> None: ...

    parameters = Parameters.of(move)
    assert list(parameters.schema["properties"]) == ["from"]
    assert parameters.validate({"from": "a"}) == {"from_": "a"}


def test_a_property_named_title_or_default_is_kept() -> None:
    def function(title: str, default: int | None = None) -> None: ...

    assert Parameters.of(function).schema["properties"] == {
        "title": {"type": "string"},
        "default": {"type": ["integer", "null"]},
    }


def test_methods_partials_and_callable_objects_have_signatures() -> None:
    class Counter:
        def method(self, a: int) -> None: ...

        def __call__(self, a: int) -> None: ...

    def wrapped(a: int, b: str) -> None: ...

    @functools.wraps(wrapped)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    for function in (Counter().method, Counter()):
        assert Parameters.of(function).names == ("a",)
    assert Parameters.of(wrapper).names == ("a", "b")
    assert Parameters.of(functools.partial(wrapped, b="x")).schema["required"] == ["a"]


# What a developer may get wrong.


def variadic(*names: int) -> None: ...
def keywords(**names: int) -> None: ...
def positional(name: int, /) -> None: ...
def bare(name) -> None: ...  # type: ignore[no-untyped-def]
def unresolved(name: OnlyWhenChecking) -> None: ...
def opaque(good: int, name: Opaque) -> None: ...
def call(good: int, name: Callable[[], int]) -> None: ...
def pattern(name: Annotated[str, Field(pattern="(?=a)")]) -> None: ...
def header(
    name: Annotated[float, Field(json_schema_extra={"x-mcp-header": "A"})],
) -> None: ...
def remote(
    name: Annotated[int, WithJsonSchema({"$ref": "https://example.com/s"})],
) -> None: ...
def hidden(name: Annotated[str, Field(description="a\u202e")]) -> None: ...
def union(name: list[Loose | Dog]) -> None: ...


class Shop:
    def close(self, name: str) -> None: ...


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (variadic, "'names': name each argument"),
        (keywords, "'names': name each argument"),
        (positional, "'name' is positional-only"),
        (bare, "'name' has no annotation: write its type, such as name: str"),
        (unresolved, "the annotation 'OnlyWhenChecking' cannot be resolved"),
        (Shop.close, r"Shop.close\(\): a method needs its object.*Tool.of\(shop.close"),
        (opaque, "parameter 'name': Unable to generate"),
        (call, "parameter 'name': Cannot generate"),
        (pattern, "parameter 'name': .* look-around"),
        (remote, "leaves the schema"),
        (header, "at properties.name: the type is"),
        (hidden, r"U\+202E"),
        (union, r"parameter 'name': .*Field\(discriminator"),
    ],
)
def test_a_bad_signature_is_refused_with_the_place_and_the_fix(
    function: Callable[..., Any], fault: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=fault) as caught:
        Parameters.of(function)
    assert str(caught.value).startswith(f"{function.__qualname__}(): ")


# What a model may send.


def test_validation_gives_python_values_and_defaults() -> None:
    def function(
        day: datetime.date,
        price: decimal.Decimal,
        color: Color,
        order: Order,
        point: Point,
        tags: set[str],
        many: Annotated[list[int], Field(default_factory=list)],
        limit: int = LIMIT,
    ) -> None: ...

    assert Parameters.of(function).validate(
        {
            "day": "2031-01-02",
            "price": "1.50",
            "color": "g",
            "order": {"pk": 1, "to": {"title": "t"}},
            "point": {"x": 1},
            "tags": ["a", "a"],
        }
    ) == {
        "day": datetime.date(2031, 1, 2),
        "price": decimal.Decimal("1.50"),
        "color": Color.GREEN,
        "order": Order(pk=1, to=Address(title="t")),
        "point": Point(1.0),
        "tags": {"a"},
        "many": [],
        "limit": 5,
    }


def test_a_mutable_default_is_not_shared() -> None:
    def function(many: list[int] = []) -> None: ...  # noqa: B006

    parameters = Parameters.of(function)
    parameters.validate({})["many"].append(1)
    assert parameters.validate({}) == {"many": []}


@pytest.mark.parametrize(
    ("annotation", "sent", "accepted"),
    [
        (int, "3", 3),
        (int, 3.0, 3),
        (float, "1.5", 1.5),
        (float, 2, 2.0),
        (bool, "true", True),
        (bool, 0, False),
        (bool | int, True, True),
        (int | None, None, None),
        (list[int], ["1"], [1]),
    ],
)
def test_what_models_send_for_a_type_is_accepted(
    annotation: Any, sent: object, accepted: object
) -> None:
    def function(a: Any) -> None: ...

    function.__annotations__["a"] = annotation
    found = Parameters.of(function).validate({"a": sent})["a"]
    assert found == accepted
    assert type(found) is type(accepted)


@pytest.mark.parametrize(
    ("annotation", "sent", "fault"),
    [
        (int, True, "a: should be a number, got true"),
        (float, False, "a: should be a number, got false"),
        (int | None, True, "a: should be a number, got true"),
        (Literal[1, 2], True, "a: should be a number, got true"),
        (int, 3.5, "a: should be a valid integer, got a number with a fractional part"),
        (int, "x", "a: should be a valid integer, unable to parse"),
        (int, None, "a: should be a valid integer, got null"),
        (str, 3, "a: should be a valid string, got 3"),
        (Color, "x", "a: should be 'r' or 'g', got \"x\""),
        (Address, {}, "a.title: missing"),
        (list[Address], [{"title": 1}], "a[0].title: should be a valid string, got 1"),
        (tuple[int, int], [1], "a[1]: missing"),
        (Even, {"number": 3}, "a.number: should be even, got 3"),
        (int | list[int], "x", "a: should be a valid integer, unable to parse"),
        (int | list[int], ["x"], "a[0]: should be a valid integer"),
        (dict[str, int], {"k": "x"}, "a.k: should be a valid integer"),
        (Pet, {"kind": "cow"}, "a: tag 'cow' found using 'kind' does not match"),
        (Pet, {"kind": "cat", "friend": {"kind": "cow"}}, "a.friend: tag 'cow'"),
    ],
)
def test_what_does_not_fit_is_named_in_words(
    annotation: Any, sent: object, fault: str
) -> None:
    def function(a: Any) -> None: ...

    function.__annotations__["a"] = annotation
    with pytest.raises(ArgumentError) as caught:
        Parameters.of(function).validate({"a": sent})
    assert f"\n- {fault}" in str(caught.value)


def test_every_bad_argument_is_named_once() -> None:
    with pytest.raises(ArgumentError) as caught:
        Parameters.of(count, skip={"ctx"}).validate(
            {"stauts": 1, "Title": "x", "limit": 99, "status": "gone", "ctx": 1}
        )
    assert str(caught.value).splitlines() == [
        "Invalid arguments:",
        "- order_id: missing",
        "- status: should be 'open' or 'sent', got \"gone\"",
        "- limit: should be less than or equal to 50, got 99",
        '- stauts: unknown argument; did you mean "status"?',
        '- Title: unknown argument; did you mean "title"?',
        "- ctx: unknown argument; known: order_id, status, limit, title",
    ]


def test_many_faults_in_one_argument_do_not_hide_another() -> None:
    def function(many: dict[str, int], other: int) -> None: ...

    many = {f"k{n}": "x" for n in range(40)}
    with pytest.raises(ArgumentError) as caught:
        Parameters.of(function).validate({"many": many, "other": "y"})
    assert str(caught.value).splitlines()[1:] == [
        "- many.k0, many.k1, many.k2, 37 places more: should be a valid integer, "
        'unable to parse string as an integer, got "x"',
        "- other: should be a valid integer, unable to parse string as an integer, "
        'got "y"',
    ]


MANY: Any = Literal[tuple(f"choice {n}" for n in range(2_000))]


@pytest.mark.parametrize(
    "annotation",
    [list[int], set[int], tuple[int, ...], list[MANY], list[int | datetime.date]],
)
def test_a_sequence_is_left_at_its_first_bad_item(annotation: Any) -> None:
    def function(a: Any) -> None: ...

    function.__annotations__["a"] = dict[str, annotation]
    with pytest.raises(ArgumentError) as caught:
        Parameters.of(function).validate({"a": {"b": ["x"] * 20_000}})
    (fault,) = str(caught.value).splitlines()[1:]
    assert fault.startswith("- a.b[0]: should be ")


def test_a_default_is_no_schema_however_it_looks() -> None:
    def function(a: dict[str, Any] = {"type": "list"}) -> None: ...  # noqa: B006

    assert Parameters.of(function).validate({}) == {"a": {"type": "list"}}


def test_more_faults_than_anybody_reads_are_counted() -> None:
    def function(a: int, b: int = 0) -> None: ...

    some = {f"c{n}": n for n in range(99)}
    with pytest.raises(ArgumentError) as caught:
        Parameters.of(function).validate(some)
    assert str(caught.value).splitlines()[1:] == [
        "- a: missing",
        "- c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 39 more: unknown argument; "
        "known: a, b",
        "- and 50 more: mend these first",
    ]
    with pytest.raises(ArgumentError) as caught:
        Parameters.of(function).validate({f"c{n}": n for n in range(9_000)})
    assert str(caught.value).splitlines()[1:] == [
        "- 9001 faults, too many to name one: try it with fewer values"
    ]


def test_a_fault_never_repeats_much_of_what_was_sent() -> None:
    parameters = Parameters.of(count, skip={"ctx"})
    hostile: list[dict[str, Any]] = [
        {"order_id": "x" * 1_000_000},
        {"order_id": ["x" * 1_000_000]},
        {"order_id": {"k" * 100_000: {}}},
        {"order_id": 10**4000 + 1, "limit": 10**4000},
        {"k" * 1_000_000: 1, "order_id": 1},
        {f"k{n}": n for n in range(20_000)},
        {"status": [{}] * 10_000, "order_id": "\ud800"},
        {"order_id": 1, "\ud800": 1},
    ]
    for sent in hostile:
        with pytest.raises(ArgumentError) as caught:
            parameters.validate(sent)
        assert len(str(caught.value)) < 1_500
        str(caught.value).encode()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "friend", "pk", "to", "title", "a"]), inner
        )
    ),
    max_leaves=8,
)


def everything(
    number: int,
    order: Order,
    pet: Pet | None,
    pair: tuple[int, str],
    union: int | list[int | Address] | dict[str, float],
    day: datetime.date,
    color: Color = Color.RED,
) -> None: ...


@given(
    st.dictionaries(
        st.sampled_from([*inspect.signature(everything).parameters, "x"]), ANY_JSON
    )
)
def test_whatever_json_is_sent_is_accepted_or_refused_in_words(
    sent: dict[str, Any],
) -> None:
    try:
        accepted = EVERYTHING.validate(sent)
    except ArgumentError as error:
        assert str(error).startswith("Invalid arguments:\n- ")
        assert len(str(error)) < 4_000
    else:
        assert accepted.keys() == inspect.signature(everything).parameters.keys()


EVERYTHING = Parameters.of(everything)
