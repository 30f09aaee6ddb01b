"""Where what outlives a request is kept: for one process, or for any number."""

from __future__ import annotations

from typing import Protocol

from mcp_transport.engine.eventlog import EventLog
from mcp_transport.engine.presence import Presence
from mcp_transport.engine.session import SessionStore
from mcp_transport.engine.signals import Signals


class StoreUnavailable(Exception):
    """What is kept cannot be reached at the moment; nothing was done."""


class Store(Protocol):
    """Sessions, their streams, and the way to other processes that have them."""

    @property
    def sessions(self) -> SessionStore: ...

    @property
    def events(self) -> EventLog: ...

    @property
    def signals(self) -> Signals: ...

    @property
    def presence(self) -> Presence: ...
