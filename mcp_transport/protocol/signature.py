"""A function's signature as the schemas of what it takes and what it gives.

Spec: 2026-07-28 server/tools #tool (inputSchema, outputSchema).
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Union

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from mcp_transport.protocol.compact import adapter, compact_schema, input_adapter
from mcp_transport.protocol.content import CONTENT_TYPES, encodable
from mcp_transport.protocol.docstring import Description, describe
from mcp_transport.protocol.faults import signature_words
from mcp_transport.protocol.schema import check_input_schema, check_output_schema
from mcp_transport.protocol.schematree import Schema
from mcp_transport.protocol.wording import OutputError, argument_error, place, quote

__all__ = ["Description", "Output", "Parameters", "describe"]

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_SHOWN = (None, NoneType, Any, object, str, inspect.Signature.empty)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a function takes, as a model sees it and as Python checks it.

    ``schema`` is an input schema; ``names`` are its arguments in their order.
    """

    schema: Schema
    names: tuple[str, ...]
    _validate: Callable[[dict[str, Any]], dict[str, Any]]
    _numbers: tuple[str, ...]

    @classmethod
    def of(
        cls, function: Callable[..., Any], *, skip: Collection[str] = frozenset()
    ) -> Parameters:
        """Read the signature of ``function``, but not the parameters ``skip``.

        Raises TypeError or ValueError, naming the parameter and the fix.
        """
        try:
            types, schema = _types_of(_parameters(function, skip))
            properties = schema.setdefault("properties", {})
            for name, text in describe(function).arguments.items():
                if name in properties:
                    properties[name].setdefault("description", text)
            check_input_schema(schema)
        except (TypeError, ValueError) as error:
            raise _in_place(name_of(function), error) from None
        return cls(
            schema,
            tuple(properties),
            types.validator.validate_python,
            tuple(name for name, node in properties.items() if _is_number(node)),
        )

    def validate(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments of a call, defaults included.

        What JSON cannot say is read from what it can: a date from text, an int
        from "3" or 3.0. But true and false are no numbers. Raises
        ArgumentError, which names the arguments at fault.
        """
        for name in self._numbers:
            if isinstance(arguments.get(name), bool):
                words = f"{name}: should be a number, got {quote(arguments[name])}"
                raise argument_error([words])
        try:
            return self._validate(arguments)
        except ValidationError as error:
            faults = signature_words(error, arguments, self.names)
            raise argument_error(faults) from None


@dataclass(frozen=True, slots=True)
class Output:
    """What a function gives as structured content.

    ``schema`` is an output schema; ``is_object`` tells whether its root is of
    type object, which revisions before 2026-07-28 demand.
    """

    schema: Schema
    is_object: bool
    _validate: Callable[..., Any]
    _serialize: Callable[..., Any]

    @classmethod
    def of(cls, annotation: Any) -> Output | None:
        """Read a return annotation, already resolved.

        None for what is shown and not structured: no annotation, Any, None,
        str, content objects and lists of them. Raises TypeError or ValueError,
        naming the fix, for a type without a JSON Schema.
        """
        if _is_shown(annotation):
            return None
        if annotation in (bytes, bytearray, memoryview):
            raise TypeError(
                f"the return type {annotation.__name__} has no media type: return "
                "Image, Audio or EmbeddedResource"
            )
        try:
            types = adapter(annotation)
            schema = compact_schema(types, "serialization")
            check_output_schema(schema)
        except (TypeError, ValueError) as error:
            raise _in_place("return type", error) from None
        is_object = schema.get("type") == "object"
        validate, serialize = (
            types.validator.validate_python,
            types.serializer.to_python,
        )
        return cls(schema, is_object, validate, serialize)

    def dump(self, value: Any) -> Any:
        """Return ``value`` as JSON says it.

        Attributes are read where the type is a model, so that a database
        object may be returned for it: only the declared fields go out. Raises
        OutputError for a value that does not fit; the text repeats no value.
        """
        try:
            checked = self._validate(value, from_attributes=True)
            plain = self._serialize(
                checked, mode="json", by_alias=True, warnings="error"
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = place(first["loc"]) or "the return value"
            raise OutputError(f"{where}: {first['msg']}") from None
        except (PydanticSerializationError, UnicodeError) as error:
            # What stands in brackets repeats the value.
            reason = " ".join(str(error).split(" [", 1)[0].split())
            raise OutputError(f"the return value has no JSON: {reason}") from None
        return _wire_form(plain)


def _parameters(
    function: Callable[..., Any], skip: Collection[str]
) -> list[inspect.Parameter]:
    hints = hints_of(function)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in skip:
            continue
        if parameter.kind in _VARIABLE:
            raise TypeError(
                f"{parameter.kind.description} parameter {name!r}: name "
                "each argument, so that a model knows what to send"
            )
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise TypeError(
                f"parameter {name!r} is positional-only: arguments are "
                'passed by name, remove the "/"'
            )
        if name not in hints:
            raise TypeError(
                f"parameter {name!r} has no annotation: write its type, "
                f"such as {name}: str, or {name}: Any"
            )
        found.append(
            parameter.replace(
                kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]
            )
        )
    return found


def _types_of(
    parameters: list[inspect.Parameter],
) -> tuple[TypeAdapter[Any], Schema]:
    try:
        types = input_adapter(_collector(parameters))
        return types, compact_schema(types, "validation")
    except TypeError:
        # Once more, one by one, to learn whose type it is.
        for parameter in parameters:
            try:
                compact_schema(adapter(parameter.annotation), "validation")
            except TypeError as error:
                raise TypeError(f"parameter {parameter.name!r}: {error}") from None
        raise


def defined_by(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the ``def`` behind a function, a partial or a callable object."""
    target: Any = function
    while isinstance(target, partial):
        target = target.func
    return target if inspect.isroutine(target) else type(target).__call__


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the resolved annotations of a function, a partial or a callable object.

    Raises TypeError, naming the fix, for one that cannot be resolved.
    """
    try:
        return typing.get_type_hints(defined_by(function), include_extras=True)
    except NameError as error:
        raise TypeError(
            f"the annotation {error.name!r} cannot be resolved: import it at the "
            "top of the module, or define it there, not under TYPE_CHECKING"
        ) from None


def _collector(parameters: list[inspect.Parameter]) -> Callable[..., dict[str, Any]]:
    """Return a function of ``parameters`` that gives its arguments back.

    Pydantic makes of it the fastest validator that also fills in defaults.
    """

    def collect(**arguments: Any) -> dict[str, Any]:
        return arguments

    signature = inspect.Signature(parameters)
    collect.__signature__ = signature  # type: ignore[attr-defined]
    collect.__annotations__ = {p.name: p.annotation for p in parameters}
    return collect


def _in_place(where: str, error: Exception) -> Exception:
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{where}: {error}")


def name_of(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__qualname__', type(function).__qualname__)}()"


def _is_number(node: Schema) -> bool:
    types = node.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    return bool(types) and types <= {"integer", "number", "null"} and types != {"null"}


def _is_shown(annotation: Any) -> bool:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _is_shown(arguments[0])
    if origin in (Union, UnionType) and all(map(_is_shown, arguments)):
        return True
    return annotation in _SHOWN or _has_content(annotation)


def _has_content(annotation: Any) -> bool:
    return annotation in CONTENT_TYPES or any(
        map(_has_content, typing.get_args(annotation))
    )


def _wire_form(value: Any) -> Any:
    """Return dumped ``value`` with text that UTF-8 can carry.

    Raises OutputError for NaN and infinities, which JSON has no words for.
    """
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float) and not isfinite(value):
        raise OutputError(f"the return value holds {value}, which JSON has no word for")
    if isinstance(value, dict):
        return {encodable(key): _wire_form(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_wire_form(item) for item in value]
    return value
