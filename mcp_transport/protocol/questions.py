"""What a tool may ask of a client: elicitation, sampling, roots.

A question knows the request that carries it, the capability that the client
must have declared for it, and what a valid answer looks like.

Spec: 2026-07-28 client/elicitation, client/sampling, client/roots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mcp_transport.protocol.content import to_blocks
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.schema import JsonSchema

Answer = dict[str, Any]

# What a field of a form may be.
PRIMITIVES = ("string", "number", "integer", "boolean")


class BadAnswer(ValueError):
    """The client's answer is not one; the text says why, in a few words."""


@dataclass(frozen=True, slots=True, eq=False)
class Elicit:
    """Ask the user to fill in a form.

    ``schema`` is a flat JSON Schema object of primitive properties. The answer
    is ``{"action": "accept", "content": {...}}``, or the action ``decline`` or
    ``cancel`` without content. Never ask for secrets: use ElicitUrl.
    Raises ValueError for a schema that no form can show.
    """

    message: str
    schema: Mapping[str, Any]
    _compiled: JsonSchema = field(init=False, repr=False)

    method: ClassVar[str] = "elicitation/create"
    capability: ClassVar[tuple[str, ...]] = ("elicitation", "form")

    def __post_init__(self) -> None:
        properties = self.schema.get("properties")
        if self.schema.get("type") != "object" or not isinstance(properties, dict):
            raise ValueError('Elicit needs a schema of "type": "object" and properties')
        for name, of in properties.items():
            if not _is_field(of):
                raise ValueError(
                    f"Elicit: {name!r} must be of type {', '.join(PRIMITIVES)}, or an "
                    "array whose items are choices: a form is flat"
                )
        object.__setattr__(self, "_compiled", JsonSchema(dict(self.schema)))

    def params(self, revision: Revision) -> dict[str, Any]:
        """Raises ValueError when the revision cannot ask this."""
        return revision.prune(
            "ElicitParams",
            {
                "mode": "form",
                "message": self.message,
                "requestedSchema": revision.elicitation_schema(dict(self.schema)),
            },
        )

    def check(self, answer: Answer) -> None:
        """Raises BadAnswer."""
        if _action(answer) == "accept":
            content = answer.get("content")
            if type(content) is not dict:
                raise BadAnswer("an accepted form needs content, an object")
            try:
                self._compiled.validate(content)
            except ValueError as error:
                raise BadAnswer(str(error)) from None


@dataclass(frozen=True, slots=True, eq=False)
class ElicitUrl:
    """Send the user to a page of yours, for what must not pass the client.

    The answer says only whether the user agreed to open it. The page must make
    sure that the user who opens it is the one who was asked.
    Spec: 2026-07-28 client/elicitation #url-mode.
    """

    message: str
    url: str

    method: ClassVar[str] = "elicitation/create"
    capability: ClassVar[tuple[str, ...]] = ("elicitation", "url")

    def params(self, revision: Revision) -> dict[str, Any]:
        return revision.prune(
            "ElicitParams", {"mode": "url", "message": self.message, "url": self.url}
        )

    def check(self, answer: Answer) -> None:
        """Raises BadAnswer."""
        _action(answer)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Ask the client's model for a message.

    ``messages`` is the user's text, or messages in the spec's form
    (``{"role": ..., "content": {...}}``); ``options`` are further members of
    the request, such as ``modelPreferences`` or ``tools``. The answer is
    ``{"role": ..., "content": {...}, "model": ..., "stopReason": ...}``.
    """

    messages: str | Sequence[Mapping[str, Any]]
    max_tokens: int
    system_prompt: str | None = None
    temperature: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    method: ClassVar[str] = "sampling/createMessage"

    @property
    def capability(self) -> tuple[str, ...]:
        return ("sampling", "tools") if "tools" in self.options else ("sampling",)

    def params(self, revision: Revision) -> dict[str, Any]:
        """Raises ValueError when the revision cannot ask this."""
        messages: Any = self.messages
        if isinstance(messages, str):
            messages = [{"role": "user", "content": to_blocks(messages)[0]}]
        params = {
            "messages": [
                {**message, "content": _sampled(revision, message["content"])}
                for message in messages
            ],
            "maxTokens": self.max_tokens,
            **self.options,
        }
        if self.system_prompt is not None:
            params["systemPrompt"] = self.system_prompt
        if self.temperature is not None:
            params["temperature"] = self.temperature
        return params

    def check(self, answer: Answer) -> None:
        """Raises BadAnswer."""
        if type(answer.get("role")) is not str or type(answer.get("model")) is not str:
            raise BadAnswer("a sampled message needs role and model")
        if type(answer.get("content")) not in (dict, list):
            raise BadAnswer("a sampled message needs content")


@dataclass(frozen=True, slots=True, eq=False)
class ListRoots:
    """Ask for the client's roots: ``{"roots": [{"uri": ..., "name": ...}]}``."""

    method: ClassVar[str] = "roots/list"
    capability: ClassVar[tuple[str, ...]] = ("roots",)

    def params(self, revision: Revision) -> dict[str, Any]:
        return {}

    def check(self, answer: Answer) -> None:
        """Raises BadAnswer."""
        roots = answer.get("roots")
        if type(roots) is not list or not all(
            type(root) is dict and type(root.get("uri")) is str for root in roots
        ):
            raise BadAnswer("roots must be a list of objects with a uri")


Question = Elicit | ElicitUrl | Sample | ListRoots


def as_capabilities(capabilities: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """Return capability paths as one object shaped like ClientCapabilities.

    >>> as_capabilities([("elicitation", "url"), ("roots",)])
    {'elicitation': {'url': {}}, 'roots': {}}
    """
    shaped: dict[str, Any] = {}
    for path in capabilities:
        inner = shaped
        for name in path:
            inner = inner.setdefault(name, {})
    return shaped


def _is_field(schema: Mapping[str, Any]) -> bool:
    """Spec: 2026-07-28 client/elicitation #supported-schema-types."""
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return "enum" in items or "anyOf" in items
    return schema.get("type") in PRIMITIVES


def _action(answer: Answer) -> str:
    action = answer.get("action")
    if action not in ("accept", "decline", "cancel"):
        raise BadAnswer("action must be accept, decline or cancel")
    return str(action)


def _sampled(revision: Revision, content: Any) -> Any:
    """Return a message's content as the revision says it.

    Raises ValueError for a kind that it cannot sample from.
    """
    if isinstance(content, list):
        return [_sampled(revision, block) for block in content]
    kind = content["type"]
    if kind not in revision.sampled:
        raise ValueError(f"it cannot sample from {kind} content")
    # What is no block of a tool's result belongs to sampling alone.
    return revision.prune(kind, content) if kind in revision.fields else content
