"""Resources, and templates whose variables make many of one function.

Spec: 2026-07-28 server/resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mcp_transport.engine.completing import Completions, Source
from mcp_transport.engine.context import Context
from mcp_transport.engine.entry import Entry, Json, Kind, described
from mcp_transport.engine.functions import Function
from mcp_transport.protocol.content import resource_contents
from mcp_transport.protocol.signature import Parameters
from mcp_transport.protocol.uritemplate import UriTemplate
from mcp_transport.protocol.wording import ArgumentError

SCOPE = "resources:read"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Readable(Entry):
    """What a resource and a template share.

    ``ttl_ms`` and ``cache_scope`` ("private" or "public") tell a client how
    long it may keep the contents, and for whom.
    Spec: 2026-07-28 server/utilities/caching.
    """

    function: Function
    mime_type: str | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict)
    ttl_ms: int = 0
    cache_scope: str = "private"

    def __post_init__(self) -> None:
        if self.ttl_ms < 0 or self.cache_scope not in ("private", "public"):
            raise ValueError(
                f"{self.name}: ttl_ms is 0 or more and cache_scope private or public"
            )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Resource(_Readable):
    """Something to read under one URI. ``size`` is in bytes, where known."""

    kind: ClassVar[Kind] = "resources"

    uri: str
    size: int | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, function: Callable[..., Any], uri: str, **options: Any) -> Resource:
        """Make a resource that is what ``function`` returns.

        Options: name, title, description, mime_type, size, permission, scope,
        tags, icons, annotations, ttl_ms, cache_scope, meta.
        Raises TypeError or ValueError, naming the fix.
        """
        bound = Function(function)
        if set(bound.names) - bound.injected:
            raise TypeError(
                f"{function.__qualname__}: a resource without variables in its URI "
                "takes no arguments but a Context"
            )
        if not _has_scheme(uri):
            raise ValueError(f"{uri!r} is no URI: begin with a scheme, as in docs://x")
        return cls(uri=uri, function=bound, **described(function, options, SCOPE))

    @property
    def key(self) -> str:
        return self.uri

    def to_json(self) -> Json:
        return self.listed(
            uri=self.uri,
            mimeType=self.mime_type,
            size=self.size,
            annotations=dict(self.annotations),
        )

    async def read(self, context: Context) -> Json:
        """Return a ReadResourceResult in the richest form."""
        return await self.function(context, self.variables, self.result)

    def result(self, value: Any) -> Json:
        """Return what the function gave as a ReadResourceResult."""
        return {
            "contents": resource_contents(self.uri, value, self.mime_type),
            "ttlMs": self.ttl_ms,
            "cacheScope": self.cache_scope,
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ResourceTemplate(_Readable):
    """Resources whose URIs follow a template, such as ``order://{pk}``."""

    kind: ClassVar[Kind] = "templates"

    template: UriTemplate
    parameters: Parameters
    completions: Completions

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        uri_template: str,
        *,
        completions: Mapping[str, Source] | None = None,
        **options: Any,
    ) -> ResourceTemplate:
        """Make a template; the function's arguments are its variables.

        Options as for Resource.of, but for size.
        Raises TypeError or ValueError, naming the fix.
        """
        template = UriTemplate(uri_template)
        bound = Function(function)
        if set(bound.names) - bound.injected != set(template.variables):
            raise TypeError(
                f"{function.__qualname__}: its arguments must be the variables of "
                f"{uri_template}"
            )
        return cls(
            template=template,
            function=bound,
            parameters=Parameters.of(function, skip=bound.injected),
            completions=Completions(completions or {}, template.variables),
            **described(function, options, SCOPE),
        )

    @property
    def key(self) -> str:
        return self.template.template

    def to_json(self) -> Json:
        return self.listed(
            uriTemplate=self.key,
            mimeType=self.mime_type,
            annotations=dict(self.annotations),
        )

    def at(self, uri: str) -> Resource | None:
        """Return the resource that ``uri`` names, or None if it names none."""
        matched = self.template.match(uri)
        if matched is None:
            return None
        try:
            variables = self.parameters.validate(dict(matched))
        except ArgumentError:
            return None
        return Resource(
            uri=uri,
            variables=variables,
            function=self.function,
            name=self.name,
            scope=self.scope,
            permission=self.permission,
            mime_type=self.mime_type,
            ttl_ms=self.ttl_ms,
            cache_scope=self.cache_scope,
        )


def _has_scheme(uri: str) -> bool:
    scheme, colon, rest = uri.partition(":")
    return bool(colon and rest and scheme[:1].isalpha() and scheme.isascii())
