"""Entries as an administrator makes them, served to a client in this process."""

from __future__ import annotations

from typing import Any

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.entry import Entry, Kind
from mcp_transport.engine.server import Server
from mcp_transport.engine.tool import Tool
from mcp_transport.protocol.messages import dumps, loads
from tests.engine.exchanges import serving
from tools_app.kinds.kind import Made
from tools_app.kinds.registry import entry_kinds

Json = dict[str, Any]


class Code:
    """What code registers, for entries that build upon it."""

    def __init__(self, *tools: Tool) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def __call__(self, kind: Kind, key: str) -> Entry | None:
        return self._tools.get(key) if kind == "tools" else None


def cleaned(kind: str, spec: Json) -> Json:
    """Return what the form of the kind makes of ``spec``; it comes from JSON."""
    form = entry_kinds()[kind].form(spec)
    assert form.is_valid(), form.errors
    assert loads(dumps(form.cleaned_data)) == form.cleaned_data
    return form.cleaned_data


def complaints(kind: str, spec: Json) -> dict[str, list[str]]:
    """Return what the form of the kind says against ``spec``, by field."""
    form = entry_kinds()[kind].form(spec)
    assert not form.is_valid(), form.cleaned_data
    return {name: [str(error) for error in form.errors[name]] for name in form.errors}


def made(
    kind: str,
    key: str,
    spec: Json,
    *code: Tool,
    title: str = "",
    description: str = "",
) -> Any:
    """Return the entry that the kind builds of what its form lets through."""
    return entry_kinds()[kind].build(
        Made(key, title, description, cleaned(kind, spec), Code(*code))
    )


def served(*entries: Entry, **options: Any) -> Server:
    shelf = Shelf()
    for entry in entries:
        shelf.add(entry)
    return serving(shelf, **options)


def caller(*scopes: str, **rights: Any) -> Caller:
    permissions = frozenset(rights.pop("permissions", ()))
    return Caller("x", frozenset(scopes or ("*",)), permissions, **rights)
