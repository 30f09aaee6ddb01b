"""What a function gives, as a schema and as JSON."""

from __future__ import annotations

import datetime
import decimal
import inspect
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from mcp_transport.protocol.content import Audio, Image, ResourceLink, Text
from mcp_transport.protocol.schema import JsonSchema
from mcp_transport.protocol.signature import Output
from mcp_transport.protocol.wording import OutputError
from tests.protocol.types_of_users import Address, Color, Node


@dataclass
class Point:
    x: float
    y: float = 0.0


class Size(TypedDict):
    width: int
    height: NotRequired[int]


class Row:
    """What an ORM gives: attributes, more of them than may go out."""

    def __init__(self) -> None:
        self.title, self.zip, self.password = "home", None, "secret"


class Opaque:
    pass


@pytest.mark.parametrize(
    "annotation",
    [
        inspect.Signature.empty,
        None,
        type(None),
        Any,
        object,
        str,
        str | None,
        Annotated[str, "note"],
        Text,
        Image | None,
        list[Text],
        list[Text | str],
        Sequence[ResourceLink],
        tuple[Audio, ...],
        typing.Union[str, Image, int],  # noqa: UP007
    ],
)
def test_what_is_shown_has_no_output_schema(annotation: Any) -> None:
    assert Output.of(annotation) is None


@pytest.mark.parametrize(
    ("annotation", "is_object", "value", "dumped"),
    [
        (int, False, 3, 3),
        (bool, False, True, True),
        (list[str], False, ("a",), ["a"]),
        (int | None, False, None, None),
        (Literal["a", "b"], False, "a", "a"),
        (Color, False, Color.RED, "r"),
        (datetime.date, False, datetime.date(2031, 1, 2), "2031-01-02"),
        (decimal.Decimal, False, decimal.Decimal("1.50"), "1.50"),
        (dict[str, int], True, {"a": 1}, {"a": 1}),
        (Size, True, {"width": 1}, {"width": 1}),
        (Point, True, Point(1, 2), {"x": 1.0, "y": 2.0}),
        (Address, True, {"title": "t"}, {"title": "t", "zip": None}),
        (Address, True, Row(), {"title": "home", "zip": None}),
        (list[Address], False, [Row()], [{"title": "home", "zip": None}]),
        (
            Node,
            True,
            Node(value=1, next=Node(value=2)),
            {"value": 1.0, "next": {"value": 2.0, "next": None}},
        ),
        (Address, True, Address(title="a\ud800"), {"title": "a\ufffd", "zip": None}),
    ],
)
def test_a_value_is_dumped_by_its_type_and_fits_its_schema(
    annotation: Any, is_object: bool, value: Any, dumped: Any
) -> None:
    output = Output.of(annotation)
    assert output is not None
    assert output.is_object is is_object
    assert output.dump(value) == dumped
    JsonSchema(output.schema).validate(dumped)


def test_fields_go_out_under_their_aliases() -> None:
    class Aliased(BaseModel):
        from_: int = Field(serialization_alias="from")

    output = Output.of(Aliased)
    assert output is not None
    assert list(output.schema["properties"]) == ["from"]
    assert output.dump({"from_": 1}) == {"from": 1}


@pytest.mark.parametrize(
    ("annotation", "value", "fault"),
    [
        (int, "secret", "the return value: Input should be a valid integer"),
        (int, None, "the return value: Input should be a valid integer"),
        (Address, {"zip": "secret"}, "title: Field required"),
        (list[Address], [{"title": 1}], "[0].title: Input should be a valid string"),
        (float, float("nan"), "the return value holds nan"),
        (list[float], [1.0, float("-inf")], "the return value holds -inf"),
        (dict[str, Any], {"a": Opaque()}, "the return value has no JSON"),
        (dict[str, Any], {"a": b"\xff"}, "the return value has no JSON"),
    ],
)
def test_a_value_that_does_not_fit_is_the_tools_fault(
    annotation: Any, value: Any, fault: str
) -> None:
    output = Output.of(annotation)
    assert output is not None
    with pytest.raises(OutputError) as caught:
        output.dump(value)
    assert str(caught.value).startswith(fault)
    assert "secret" not in str(caught.value)


def test_a_model_built_without_validation_is_not_let_through() -> None:
    output = Output.of(Address)
    assert output is not None
    with pytest.raises(OutputError) as caught:
        output.dump(Address.model_construct(title=["secret"]))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "fault"),
    [
        (bytes, "return Image, Audio or EmbeddedResource"),
        (Opaque, "return type: Unable to generate.* a pydantic model of its fields"),
        (Iterator[Opaque], "return type: Unable to generate"),
    ],
)
def test_a_return_type_without_a_schema_is_refused(annotation: Any, fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        Output.of(annotation)
