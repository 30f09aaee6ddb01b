"""What all entries of a catalogue share.

Each entry knows how it is listed, in the richest form, and how it is run. Who
may not use an entry does not see it: ``scope`` is what the credential must
grant and ``permission`` what Django must grant to its user.

Spec: 2026-07-28 server/tools, server/resources, server/prompts.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mcp_transport.engine.caller import Caller
from mcp_transport.protocol.docstring import describe
from mcp_transport.protocol.naming import check_text

Kind = Literal["tools", "resources", "templates", "prompts"]
Json = dict[str, Any]
Icon = Mapping[str, Any]

_PERMISSION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z0-9_-]+")


def is_permission(value: object) -> bool:
    """Tell whether ``value`` reads "app.codename", as Django names permissions."""
    return isinstance(value, str) and _PERMISSION.fullmatch(value) is not None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Entry(ABC):
    """What all entries share. ``meta`` is sent as ``_meta``, ``tags`` within it."""

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

    @property
    def known_as(self) -> tuple[str, ...]:
        """The names that a rule may call it by: its own, and those of what it calls."""
        return (self.key,)

    @abstractmethod
    def to_json(self) -> Json:
        """Return the entry as it is listed."""

    def visible(self, caller: Caller) -> bool:
        return self.lacking(caller) is None and self.permitted(caller)

    def lacking(self, caller: Caller) -> str | None:
        """Return the scope that the caller's credential lacks, None if it has all."""
        return None if caller.has_scope(self.scope) else self.scope

    def permitted(self, caller: Caller) -> bool:
        """Tell whether the caller may use it as far as it is not a matter of scope."""
        return self.permission is None or caller.has_permission(self.permission)

    def listed(self, **members: Any) -> Json:
        """Return the entry as a list shows it; empty members are left out."""
        shown = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            **members,
            "icons": [dict(icon) for icon in self.icons],
            "_meta": {
                **({"tags": sorted(self.tags)} if self.tags else {}),
                **self.meta,
            },
        }
        return {name: value for name, value in shown.items() if value or value == 0}


def described(
    function: Callable[..., Any], options: Mapping[str, Any], scope: str
) -> dict[str, Any]:
    """Return the options of an entry, with what its function says of itself.

    The name is the function's and the description its docstring, unless given;
    ``scope`` is the scope unless given, in which {name} stands for the name.
    Raises ValueError for text that its reader would not see, and for a permission
    that is none.
    """
    name = check_text(options.get("name") or function.__name__)
    permission = options.get("permission")
    if permission is not None and not is_permission(permission):
        raise ValueError(
            f"{name}: permission={permission!r} is none: write an app and a "
            'codename, such as "shop.view_order"'
        )
    check_text(options.get("title") or "")
    description = options.get("description")
    return {
        **options,
        "name": name,
        "scope": options.get("scope") or scope.format(name=name),
        "description": check_text(
            describe(function).text if description is None else description
        ),
        "tags": frozenset(options.get("tags", ())),
        "icons": tuple(options.get("icons", ())),
    }
