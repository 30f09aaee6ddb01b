"""What all entries of a catalogue share.

Each entry knows how it is listed, in the richest form, and how it is run. Who
may not use an entry does not see it: ``scope`` is what the credential must
grant and ``permission`` what Django must grant to its user.

Spec: 2026-07-28 server/tools, server/resources, server/prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mcp_transport.engine.caller import Caller

Kind = Literal["tools", "resources", "templates", "prompts"]
Json = dict[str, Any]
Icon = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Entry:
    """What all entries share. ``meta`` is sent as ``_meta``."""

    kind: ClassVar[Kind]

    name: str
    scope: str
    title: str | None = None
    description: str = ""
    permission: str | None = None
    tags: frozenset[str] = frozenset()
    icons: tuple[Icon, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What a client names the entry by; unique within its kind."""
        return self.name

    def to_json(self) -> Json:
        """Return the entry as it is listed."""
        raise NotImplementedError

    def visible(self, caller: Caller) -> bool:
        return caller.has_scope(self.scope) and (
            self.permission is None or caller.has_permission(self.permission)
        )

    def listed(self, **members: Any) -> Json:
        """Return the entry as a list shows it; empty members are left out."""
        shown = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            **members,
            "icons": [dict(icon) for icon in self.icons],
            "_meta": dict(self.meta),
        }
        return {name: value for name, value in shown.items() if value or value == 0}
