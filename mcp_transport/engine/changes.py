"""What changed in the catalogue, and who wants to know.

Events travel here, not wire messages: to whom and how one is told is each
door's own matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

ListKind = Literal["tools", "resources", "prompts"]


@dataclass(frozen=True, slots=True)
class ListChanged:
    """A list of the catalogue has other entries than before.

    ``number`` is the catalogue's where every process reads it by itself: each tells
    its own clients then, and what all tell alike is told to a session once.
    """

    kind: ListKind
    number: int | None = None

    @property
    def notification(self) -> tuple[str, dict[str, Any]]:
        """The method and the params that tell it."""
        return f"notifications/{self.kind}/list_changed", {}


@dataclass(frozen=True, slots=True)
class ResourceUpdated:
    """The contents of one resource are others than before."""

    uri: str

    @property
    def notification(self) -> tuple[str, dict[str, Any]]:
        """The method and the params that tell it."""
        return "notifications/resources/updated", {"uri": self.uri}


Change = ListChanged | ResourceUpdated
Listener = Callable[[Change], None]


class Changes:
    """Hands each change to every listener, on the listener's own event loop.

    ``attend`` is called with each one that begins to listen.
    """

    def __init__(self, attend: Callable[[], None] = lambda: None) -> None:
        self._attend = attend
        self._listeners: dict[
            object, tuple[asyncio.AbstractEventLoop | None, Listener]
        ] = {}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` for each change from now on; return how to stop.

        On an event loop, changes published from other threads arrive there.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is not None:
            self._attend()
        key = object()
        self._listeners[key] = (loop, listener)
        return lambda: self._listeners.pop(key, None) and None

    def publish(self, change: Change) -> None:
        """Tell every listener. May be called from any thread."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for key, (loop, listener) in list(self._listeners.items()):
            if loop is None or loop is here:
                listener(change)
            elif loop.is_closed():
                self._listeners.pop(key, None)
            else:
                loop.call_soon_threadsafe(listener, change)

    def __len__(self) -> int:
        return len(self._listeners)
