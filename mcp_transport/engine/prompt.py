"""Prompts: messages that a user picks, made of arguments.

Spec: 2026-07-28 server/prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mcp_transport.engine.completing import Completions, Source
from mcp_transport.engine.context import Context
from mcp_transport.engine.entry import Entry, Json, Kind, described
from mcp_transport.engine.functions import Function
from mcp_transport.protocol.content import to_blocks
from mcp_transport.protocol.errors import invalid_params
from mcp_transport.protocol.naming import check_name
from mcp_transport.protocol.signature import Parameters
from mcp_transport.protocol.wording import ArgumentError

SCOPE = "prompts:get"
ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Prompt(Entry):
    """A function that returns messages.

    It returns a string or a content object, which is one message of the user,
    or a list of such and of ``{"role": "user" or "assistant", "content": ...}``.
    """

    kind: ClassVar[Kind] = "prompts"

    function: Function
    parameters: Parameters
    completions: Completions

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        *,
        completions: Mapping[str, Source] | None = None,
        **options: Any,
    ) -> Prompt:
        """Make a prompt of a function; its arguments are the prompt's.

        Options: name, title, description, permission, scope, tags, icons, meta.
        Raises TypeError or ValueError, naming the fix.
        """
        bound = Function(function)
        parameters = Parameters.of(function, skip=bound.injected)
        described_as = described(function, options, SCOPE)
        check_name(described_as["name"])
        return cls(
            function=bound,
            parameters=parameters,
            completions=Completions(
                completions or {}, parameters.schema.get("properties", {})
            ),
            **described_as,
        )

    def to_json(self) -> Json:
        schema = self.parameters.schema
        required = schema.get("required", ())
        arguments = [
            {
                "name": name,
                **{k: of[k] for k in ("title", "description") if k in of},
                "required": name in required,
            }
            for name, of in schema.get("properties", {}).items()
        ]
        return self.listed(arguments=arguments)

    async def get(self, context: Context, arguments: Json) -> Json:
        """Return a GetPromptResult in the richest form.

        Raises ProtocolError (-32602) for arguments that do not fit.
        """
        try:
            accepted = self.parameters.validate(arguments)
        except ArgumentError as error:
            raise invalid_params(str(error)) from None
        return await self.function(context, accepted, self.result)

    def result(self, value: Any) -> Json:
        """Return what the function gave as a GetPromptResult.

        Raises ValueError for a role that does not exist.
        """
        values = value if isinstance(value, list | tuple) else [value]
        messages = [message for item in values for message in _messages(item)]
        return {"description": self.description, "messages": messages}


def _messages(value: Any) -> list[Json]:
    """Return one message for each block of content, as a message holds but one."""
    role = "user"
    if isinstance(value, Mapping) and "role" in value:
        role, value = value["role"], value["content"]
        if role not in ROLES:
            raise ValueError(f"a message's role is one of {', '.join(ROLES)}: {role!r}")
    return [{"role": role, "content": block} for block in to_blocks(value)]
