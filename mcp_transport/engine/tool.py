"""Tools: functions that a model may call.

Spec: 2026-07-28 server/tools.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.context import Context
from mcp_transport.engine.entry import Entry, Json, Kind, described
from mcp_transport.engine.errors import ToolError
from mcp_transport.engine.functions import Function
from mcp_transport.engine.rates import Rate
from mcp_transport.protocol.content import json_text, to_blocks
from mcp_transport.protocol.naming import check_name
from mcp_transport.protocol.schema import (
    HeaderParam,
    JsonSchema,
    check_input_schema,
    header_params,
)
from mcp_transport.protocol.signature import Output, Parameters, in_place, name_of
from mcp_transport.protocol.wording import ArgumentError

Validate = Callable[[Json], Json]


SCOPE = "tools:call:{name}"
HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ToolResult(Generic[T]):
    """What a tool gives back when it wants to say more than one value can.

    ``content`` is what a model reads; ``meta`` is for the client's program
    alone. A tool annotated ``-> ToolResult[Order]`` gives an Order as
    ``structured``; one annotated ``-> ToolResult`` gives none.
    """

    content: Any
    structured: T | None = None
    meta: Mapping[str, Any] | None = None


def error_result(text: str) -> Json:
    """Return a tool's own failure. Spec: 2026-07-28 server/tools #error-handling."""
    return {"content": to_blocks(text), "isError": True}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tool(Entry):
    """A function that a model may call."""

    kind: ClassVar[Kind] = "tools"

    function: Function
    input_schema: Json
    validate: Validate
    output: Output | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[HeaderParam, ...] = ()
    timeout_s: float | None = None
    rate: Rate | None = None

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise ValueError(
                f"{self.name}: timeout_s must be over 0; leave it out for the "
                "server's own"
            )

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        *,
        input_schema: Json | None = None,
        read_only: bool | None = None,
        destructive: bool | None = None,
        idempotent: bool | None = None,
        open_world: bool | None = None,
        rate: str | None = None,
        **options: Any,
    ) -> Tool:
        """Make a tool of a function; its signature and docstring are the rest.

        With ``input_schema`` (raw JSON Schema) the function takes the
        arguments as one dictionary. ``read_only`` and its kin are hints to the
        client (Spec: 2026-07-28 server/tools #tool-annotations). ``rate`` bounds
        how often one caller may call it, such as "60/m". Further options: name,
        title, description, permission, scope, tags, timeout_s, icons, meta.
        Raises TypeError or ValueError, naming the fix.
        """
        bound = Function(function)
        schema, validate = _taking(function, bound, input_schema)
        described_as = described(function, options, SCOPE)
        check_name(described_as["name"])
        hints = (read_only, destructive, idempotent, open_world)
        return cls(
            function=bound,
            input_schema=schema,
            validate=validate,
            output=_giving(function, bound.returns),
            annotations=_annotations(*hints),
            headers=header_params(schema),
            rate=None if rate is None else Rate.parse(rate),
            **described_as,
        )

    def permitted(self, caller: Caller) -> bool:
        # Not super(), which a dataclass with slots leaves pointing elsewhere.
        return Entry.permitted(self, caller) and (
            caller.tools is None or self.name in caller.tools
        )

    @property
    def counted(self) -> tuple[tuple[str, Rate], ...]:
        """What one call counts as, each with how often one caller may."""
        return () if self.rate is None else ((self.name, self.rate),)

    def to_json(self) -> Json:
        return self.listed(
            inputSchema=self.input_schema,
            outputSchema=None if self.output is None else self.output.schema,
            annotations=dict(self.annotations),
        )

    async def run(self, context: Context, arguments: Json) -> Json:
        """Call the function; return a CallToolResult in the richest form.

        Raises ToolError for arguments that do not fit, and what the function
        raises.
        """
        try:
            accepted = self.validate(arguments)
        except ArgumentError as error:
            raise ToolError(str(error)) from None
        return await self.function(context, accepted, self.result)

    def result(self, value: Any) -> Json:
        """Return what the function gave as a CallToolResult.

        Raises OutputError for a value that is not what the tool promises.
        """
        if isinstance(value, ToolResult):
            result: Json = {"content": to_blocks(value.content)}
            if value.meta is not None:
                result["_meta"] = dict(value.meta)
            if self.output is not None:
                result["structuredContent"] = self.output.dump(value.structured)
            elif value.structured is not None:
                raise TypeError("structured needs the annotation -> ToolResult[...]")
            return result
        if self.output is None:
            return {"content": to_blocks(value)}
        structured = self.output.dump(value)
        # The same as text, for clients that read nothing else.
        # Spec: 2026-07-28 server/tools #structured-content.
        text = structured if isinstance(structured, str) else json_text(structured)
        return {"content": to_blocks(text), "structuredContent": structured}


def _annotations(*hints: bool | None) -> Json:
    """Spec: 2026-07-28 server/tools #tool-annotations."""
    said = zip(HINTS, hints, strict=True)
    return {name: hint for name, hint in said if hint is not None}


def _giving(function: Callable[..., Any], returns: Any) -> Output | None:
    """Return what a return annotation promises as structured content."""
    if returns is ToolResult:
        return None
    if typing.get_origin(returns) is ToolResult:
        (returns,) = typing.get_args(returns)
    try:
        return Output.of(returns)
    except (TypeError, ValueError) as error:
        raise in_place(name_of(function), error) from None


def _taking(
    function: Callable[..., Any], bound: Function, schema: Json | None
) -> tuple[Json, Validate]:
    """Return the input schema and what turns arguments into the function's own."""
    if schema is None:
        parameters = Parameters.of(function, skip=bound.injected)
        return parameters.schema, parameters.validate
    check_input_schema(schema)
    names = [name for name in bound.names if name not in bound.injected]
    if len(names) != 1:
        raise TypeError("with input_schema the function takes one dict of arguments")
    compiled, (name,) = JsonSchema(schema), names

    def validate(arguments: Json) -> Json:
        compiled.validate(arguments)
        return {name: arguments}

    return schema, validate
