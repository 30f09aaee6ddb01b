"""The catalogue that a server serves, and the shelf that code fills.

Spec: 2026-07-28 server/utilities/pagination.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, overload

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.changes import ListKind
from mcp_transport.engine.entry import Entry, Kind
from mcp_transport.engine.prompt import Prompt
from mcp_transport.engine.resource import Resource, ResourceTemplate
from mcp_transport.engine.tool import Tool
from mcp_transport.protocol.errors import InsufficientScope

KINDS: tuple[Kind, ...] = ("tools", "resources", "templates", "prompts")
# The list of resource templates has no notification of its own.
ANNOUNCED: Mapping[Kind, ListKind] = {
    "tools": "tools",
    "resources": "resources",
    "templates": "resources",
    "prompts": "prompts",
}
# Whom a catalogue hides nothing from.
SEES_ALL = Caller("catalogue", scopes=frozenset({"*"}), is_superuser=True)
AT_A_TIME = 1000
# How many different sets of rights a snapshot keeps its lists for.
MAX_VIEWS = 256

F = TypeVar("F", bound=Callable[..., Any])


class Watcher(Protocol):
    """Hears that a list has changed, on any thread.

    ``number`` is the catalogue's where every process reads it by itself.
    """

    def __call__(self, kind: ListKind, number: int | None = None, /) -> object: ...


@dataclass(slots=True, eq=False)
class Page:
    """Part of a list. ``next`` is the position after it, None at the end.

    ``encoded`` keeps what a server makes of the page for a revision, by both,
    for as long as the page itself is kept.
    """

    entries: tuple[Entry, ...]
    next: str | None
    encoded: dict[object, bytes] = field(default_factory=dict)


class Catalogue(Protocol):
    """What a server asks. Entries that the caller may not see do not exist."""

    async def page(
        self, kind: Kind, caller: Caller, after: str | None, limit: int
    ) -> Page:
        """Return at most ``limit`` entries behind position ``after``, by key."""
        ...

    async def find(self, kind: Kind, key: str, caller: Caller) -> Any:
        """Return the entry, or None. A resource is found by its templates too.

        Raises InsufficientScope for an entry that the caller's user may use, and
        the credential does not grant.
        """
        ...

    def watch(self, watcher: Watcher) -> None:
        """Call ``watcher`` with each kind of list whose entries change."""
        ...

    def renew(self) -> None:
        """Another process has changed what the catalogue is read from, if it is
        read from anything. Returns at once.
        """
        ...


async def all_entries(catalogue: Catalogue, caller: Caller) -> list[Entry]:
    """Return what ``caller`` is shown, in the order of KINDS, as any catalogue gives
    it: by pages.
    """
    found: list[Entry] = []
    for kind in KINDS:
        after: str | None = None
        while True:
            page = await catalogue.page(kind, caller, after, AT_A_TIME)
            found += page.entries
            after = page.next
            if after is None:
                break
    return found


class View:
    """A snapshot's lists, as callers of one set of rights see them."""

    __slots__ = ("_entries", "_keys", "_pages")

    def __init__(self, snapshot: Snapshot, caller: Caller) -> None:
        self._entries = {
            kind: tuple(e for e in snapshot.listed(kind) if e.visible(caller))
            for kind in KINDS
        }
        self._keys = {kind: [e.key for e in self._entries[kind]] for kind in KINDS}
        self._pages: dict[tuple[Kind, int, int], Page] = {}

    def page(self, kind: Kind, after: str | None, limit: int) -> Page:
        start = 0 if after is None else bisect_right(self._keys[kind], after)
        known = self._pages.get((kind, start, limit))
        if known is None:
            entries = self._entries[kind][start : start + limit]
            more = start + limit < len(self._entries[kind])
            known = Page(entries, entries[-1].key if more else None)
            self._pages[(kind, start, limit)] = known
        return known


class Snapshot:
    """The entries of one moment, which never change. Sorted by key.

    ``unlisted`` are those that are found and not listed, by kind and key.
    """

    __slots__ = ("_views", "entries", "number", "ordered", "unlisted")

    def __init__(
        self,
        number: int,
        entries: Mapping[Kind, Mapping[str, Entry]],
        unlisted: Set[tuple[Kind, str]] = frozenset(),
    ) -> None:
        self.number = number
        self.unlisted = unlisted
        self.entries = {kind: dict(entries[kind]) for kind in KINDS}
        self.ordered = {
            kind: tuple(sorted(entries[kind].values(), key=lambda entry: entry.key))
            for kind in KINDS
        }
        self._views: dict[object, View] = {}

    def listed(self, kind: Kind) -> list[Entry]:
        """Return the entries that the lists have, for those who may see them."""
        return [e for e in self.ordered[kind] if (kind, e.key) not in self.unlisted]

    def view(self, caller: Caller) -> View:
        rights = (
            caller.scopes,
            caller.permissions,
            caller.is_superuser,
            caller.tools,
        )
        known = self._views.get(rights)
        if known is None:
            if len(self._views) >= MAX_VIEWS:
                self._views.pop(next(iter(self._views)))
            known = self._views[rights] = View(self, caller)
        return known

    def find(self, kind: Kind, key: str, caller: Caller) -> Entry | None:
        entry = self.entries[kind].get(key)
        if entry is None and kind == "resources":
            return self._by_template(key, caller)
        if entry is None or entry.visible(caller):
            return entry
        _check_scope([entry], caller)
        return None

    def _by_template(self, uri: str, caller: Caller) -> Resource | None:
        found: list[tuple[Any, Resource]] = []
        for entry in self.ordered["templates"]:
            if isinstance(entry, ResourceTemplate) and entry.visible(caller):
                resource = entry.at(uri)
                if resource is not None:
                    found.append((entry.template.specificity, resource))
        if found:
            return max(found, key=lambda pair: pair[0])[1]
        hidden = [e for e in self.ordered["templates"] if _matches(e, uri)]
        _check_scope(hidden, caller)
        return None


def _matches(template: Entry, uri: str) -> bool:
    return isinstance(template, ResourceTemplate) and template.at(uri) is not None


def _check_scope(hidden: Iterable[Entry], caller: Caller) -> None:
    """Raises InsufficientScope where a broader scope is all that is missing."""
    for entry in hidden:
        lacking = entry.lacking(caller)
        if lacking is not None and entry.permitted(caller):
            raise InsufficientScope(lacking)


class Shelf:
    """The catalogue that code fills, by decorators or by ``add`` and ``remove``.

    Two entries of one kind and key are a mistake of the developer's: the first
    stays, and ``collisions`` names the second for the system checks.
    """

    def __init__(self) -> None:
        self._entries: dict[Kind, dict[str, Entry]] = {kind: {} for kind in KINDS}
        self._snapshot: Snapshot | None = None
        self._number = 0
        self._watchers: list[Callable[[ListKind], object]] = []
        self.collisions: list[str] = []

    # Filling it.

    def add(self, entry: Entry) -> None:
        """Add an entry. Raises ValueError when its key is taken."""
        entries = self._entries[entry.kind]
        if entry.key in entries:
            raise ValueError(f"there is an entry {entry.key!r} in {entry.kind} already")
        entries[entry.key] = entry
        self._changed(entry.kind)

    def remove(self, kind: Kind, key: str) -> None:
        """Remove an entry. Raises KeyError when there is none."""
        del self._entries[kind][key]
        self._changed(kind)

    def _register(self, entry: Entry, origin: Callable[..., Any]) -> None:
        if entry.key in self._entries[entry.kind]:
            self.collisions.append(
                f"{origin.__module__}.{origin.__qualname__}: there is an entry "
                f"{entry.key!r} in {entry.kind} already"
            )
        else:
            self.add(entry)

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(self, function: None = None, /, **options: Any) -> Callable[[F], F]: ...

    def tool(self, function: F | None = None, /, **options: Any) -> Any:
        """Register a function as a tool; the options are those of Tool.of."""

        def register(function: F) -> F:
            self._register(Tool.of(function, **options), function)
            return function

        return _decorator("tool", function, register)

    def resource(self, uri: str, /, **options: Any) -> Callable[[F], F]:
        """Register a function as a resource, or as a template where ``uri`` has
        variables; the options are those of Resource.of or ResourceTemplate.of.
        """
        if not isinstance(uri, str):
            raise TypeError('write the URI: @resource("docs://opening-hours")')

        def register(function: F) -> F:
            make = ResourceTemplate.of if "{" in uri else Resource.of
            self._register(make(function, uri, **options), function)
            return function

        return register

    @overload
    def prompt(self, function: F, /) -> F: ...

    @overload
    def prompt(self, function: None = None, /, **options: Any) -> Callable[[F], F]: ...

    def prompt(self, function: F | None = None, /, **options: Any) -> Any:
        """Register a function as a prompt; the options are those of Prompt.of."""

        def register(function: F) -> F:
            self._register(Prompt.of(function, **options), function)
            return function

        return _decorator("prompt", function, register)

    # Reading it: the Catalogue protocol.

    async def page(
        self, kind: Kind, caller: Caller, after: str | None, limit: int
    ) -> Page:
        return self.snapshot.view(caller).page(kind, after, limit)

    async def find(self, kind: Kind, key: str, caller: Caller) -> Any:
        return self.snapshot.find(kind, key, caller)

    def watch(self, watcher: Callable[[ListKind], object]) -> None:
        self._watchers.append(watcher)

    def renew(self) -> None:
        """It is read from nothing."""

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            self._number += 1
            self._snapshot = Snapshot(self._number, self._entries)
        return self._snapshot

    def entries(self) -> Iterable[Entry]:
        """Return every entry, of all kinds, by key. Any thread may ask."""
        return [
            entries[key]
            for entries in [dict(self._entries[kind]) for kind in KINDS]
            for key in sorted(entries)
        ]

    def _changed(self, kind: Kind) -> None:
        self._snapshot = None
        for watcher in self._watchers:
            watcher(ANNOUNCED[kind])


def _decorator(
    name: str, given: F | None, register: Callable[[F], F]
) -> F | Callable[[F], F]:
    """Return what a decorator gives that may stand with options and without."""
    if given is None:
        return register
    if not callable(given):
        raise TypeError(f"options have names: write @{name}(name={given!r})")
    return register(given)


catalogue = Shelf()
tool, resource, prompt = catalogue.tool, catalogue.resource, catalogue.prompt
