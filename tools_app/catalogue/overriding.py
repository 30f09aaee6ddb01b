"""Entries as administrators have them: the code's own, with what a row says else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcp_transport.engine.entry import Entry
from mcp_transport.engine.prompt import Prompt
from mcp_transport.engine.rates import Rate
from mcp_transport.engine.resource import Resource, ResourceTemplate
from mcp_transport.engine.tool import Tool
from tools_app.catalogue.entry import CatalogueEntry

Schema = Mapping[str, Any]


def overridden(entry: Entry, row: CatalogueEntry) -> Entry:
    """Return ``entry`` as ``row`` has it: another one, unless nothing differs.

    Raises ValueError for a row that no entry can be.
    """
    changes: dict[str, Any] = {
        name: getattr(row, name)
        for name in ("title", "description", "permission", "scope")
        if getattr(row, name)
    }
    if row.tags is not None:
        changes["tags"] = frozenset(row.tags)
    if row.annotations and isinstance(entry, Tool | Resource | ResourceTemplate):
        changes["annotations"] = {**entry.annotations, **row.annotations}
    texts = row.argument_descriptions
    if isinstance(entry, Tool):
        if row.rate:
            changes["rate"] = Rate.parse(row.rate)
        if row.timeout_s is not None:
            changes["timeout_s"] = row.timeout_s
        if texts:
            changes["input_schema"] = _described(entry.input_schema, texts)
    elif isinstance(entry, Prompt) and texts:
        schema = _described(entry.parameters.schema, texts)
        changes["parameters"] = replace(entry.parameters, schema=schema)
    return replace(entry, **changes) if changes else entry


def arguments(entry: Entry) -> dict[str, Any]:
    """Return the arguments that a model gives, by name, as JSON Schemas."""
    if isinstance(entry, Tool):
        return dict(entry.input_schema.get("properties", {}))
    if isinstance(entry, Prompt):
        return dict(entry.parameters.schema.get("properties", {}))
    return {}


def said_by_code(entry: Entry) -> dict[str, Any]:
    """Return what an entry says of itself, as JSON: the value of ``CatalogueEntry.
    code``, in which what does not concern its kind is None.
    """
    rate = getattr(entry, "rate", None)
    return {
        "name": entry.name,
        "title": entry.title or "",
        "description": entry.description,
        "arguments": {
            name: schema.get("description", "") if isinstance(schema, dict) else ""
            for name, schema in arguments(entry).items()
        },
        "tags": sorted(entry.tags),
        "permission": entry.permission or "",
        "scope": entry.scope,
        "rate": "" if rate is None else str(rate),
        "timeout_s": getattr(entry, "timeout_s", None),
        "annotations": dict(getattr(entry, "annotations", {})),
    }


def _described(schema: Schema, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return a schema with other descriptions of its properties. What is not among
    them, the code has renamed or dropped since.
    """
    properties = dict(schema.get("properties", {}))
    for name in properties.keys() & texts.keys():
        # A schema may be True, which allows anything and says nothing.
        node = properties[name] if isinstance(properties[name], dict) else {}
        properties[name] = {**node, "description": texts[name]}
    return {**schema, "properties": properties}
