"""The table: every behaviour, and in which places it is to be seen.

A place is one behaviour at one door, in one revision, in one deployment. It has
either a cell, which is run, or a reason why it has none. What a revision has is
read from the revision and which revisions a door serves from the door; only
what a behaviour needs is said here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from mcp_transport.engine.exchange import Binding
from mcp_transport.protocol.errors import INVALID_REQUEST
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import PLAIN, REVISIONS
from mcp_transport.transports import (
    inprocess,
    plain,
    sse,
    stdio,
    streamable,
    websocket,
)

ALL_REVISIONS: Mapping[str, Revision] = {**REVISIONS, PLAIN.name: PLAIN}


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way in, and what its nature is.

    ``posts`` tells that each message is a POST of its own, and ``is_session``
    that a connection and a session are one, and end together. ``resumes`` tells
    whether its events have ids, so that a client can come back behind one.
    ``too_large`` is the code by which it refuses a message over the limit, an
    HTTP status, a close code or an error's, or None where there is no limit.
    ``alone`` says why one client is never served by several processes, where so.
    """

    name: str
    binding: Binding
    posts: bool = False
    is_session: bool = False
    resumes: bool = False
    too_large: int | None = None
    alone: str | None = None

    def absence(self, revision: Revision) -> str | None:
        if revision.name in {**self.binding.stateful, **self.binding.stateless}:
            return None
        if revision is PLAIN:
            return "the plain dialect has a door of its own"
        if PLAIN.name in self.binding.stateful:
            return "the plain door speaks no revision"
        return f"{self.name} needs sessions, which {revision.name} does not have"


ONE_CONNECTION = "one connection is served by one process"
IN_PROCESS = Door(
    name="in-process", binding=inprocess.BINDING, is_session=True, alone=ONE_CONNECTION
)
STDIO = Door(
    name="stdio",
    binding=stdio.BINDING,
    is_session=True,
    too_large=INVALID_REQUEST,
    alone=ONE_CONNECTION,
)
WEBSOCKET = Door(
    name="websocket",
    binding=websocket.BINDING,
    is_session=True,
    too_large=websocket.Reason.TOO_LARGE,
    alone=ONE_CONNECTION,
)
LEAN = Door(
    name="lean", binding=streamable.ASGI, posts=True, resumes=True, too_large=413
)
URLS = Door(
    name="urls",
    binding=streamable.ASGI,
    posts=True,
    resumes=True,
    too_large=413,
    alone="the mount is not where processes differ: lean stands for both",
)
SSE = Door(name="sse", binding=sse.BINDING, posts=True, is_session=True, too_large=413)
PLAIN_HTTP = Door(
    name="plain", binding=plain.BINDING, posts=True, resumes=True, too_large=413
)
DOORS = (IN_PROCESS, STDIO, WEBSOCKET, LEAN, URLS, SSE, PLAIN_HTTP)


@dataclass(frozen=True)
class Deployment:
    """How many processes serve a client: each of its requests meets the next."""

    name: str
    processes: int


ONE = Deployment("one", 1)
TWO = Deployment("two", 2)
DEPLOYMENTS = (ONE, TWO)


# What a behaviour may need. Each says why it is not there, or None if it is.


class Need(Protocol):
    def absence(self, cell: Cell) -> str | None: ...


@dataclass(frozen=True)
class Method:
    """A request that clients send."""

    name: str

    def absence(self, cell: Cell) -> str | None:
        if self.name in cell.revision.requests:
            return None
        return f"{cell.revision.name} has no {self.name}"


@dataclass(frozen=True)
class Asks:
    """A capability that clients may declare, so that they are asked."""

    path: tuple[str, ...]

    def absence(self, cell: Cell) -> str | None:
        if self.path in cell.revision.asks:
            return None
        return f"{cell.revision.name} cannot ask: no {'.'.join(self.path)}"


@dataclass(frozen=True)
class Field:
    """A member of something that is sent."""

    kind: str
    name: str

    def absence(self, cell: Cell) -> str | None:
        if self.name in cell.revision.fields.get(self.kind, ()):
            return None
        return f"{cell.revision.name} has no {self.kind}.{self.name}"


@dataclass(frozen=True)
class Rule:
    """A rule of the revision, by the name of its field."""

    name: str
    otherwise: str
    value: bool = True

    def absence(self, cell: Cell) -> str | None:
        if getattr(cell.revision, self.name) is self.value:
            return None
        return f"{cell.revision.name} {self.otherwise}"


@dataclass(frozen=True)
class Nature:
    """A trait of the door, by the name of its field."""

    name: str
    otherwise: str

    def absence(self, cell: Cell) -> str | None:
        if getattr(cell.door, self.name):
            return None
        return f"{cell.door.name} {self.otherwise}"


class SharedIds:
    """Ids that requests have in common, so that two can be the same."""

    def absence(self, cell: Cell) -> str | None:
        if cell.door is PLAIN_HTTP and cell.deployment is not ONE:
            return "plain claims no ids: a process knows those of its own calls alone"
        if cell.door.is_session or cell.revision.stateful:
            return None
        return f"{cell.revision.name} by POST: only its own request knows an id"


SESSION = Rule("stateful", "has no sessions")
WAY_BACK = Nature("resumes", "has no event ids")

TABLE: Mapping[str, tuple[Need, ...]] = {
    # How a conversation begins.
    "initialize": (Method("initialize"),),
    "discover": (Method("server/discover"),),
    "too_early": (Method("initialize"),),
    "ping": (Method("ping"),),
    # What the catalogue holds.
    "list": (),
    "pagination": (),
    "call": (),
    "structured": (Field("CallToolResult", "structuredContent"),),
    "content": (),
    "error": (),
    "resources": (),
    "templates": (),
    "prompts": (),
    "completion": (),
    # What a call says and asks meanwhile.
    "progress": (),
    "log_level": (),
    "elicitation": (Asks(("elicitation", "form")),),
    "elicitation_by_url": (Asks(("elicitation", "url")),),
    "sampling": (Asks(("sampling",)),),
    "sampling_with_tools": (Asks(("sampling", "tools")),),
    "roots": (Asks(("roots",)),),
    "undeclared": (),
    # How a call ends before its time.
    "cancel": (),
    "timeout": (),
    "disconnect": (),
    # What is told without being asked.
    "list_changed": (SESSION,),
    "subscribe": (Method("resources/subscribe"),),
    "listen": (Method("subscriptions/listen"),),
    "notifications": (),
    # What cannot be taken.
    "invalid_json": (),
    "invalid_message": (),
    "unknown_method": (),
    "too_large": (Nature("too_large", "has no limit of its own"),),
    "duplicate_id": (SharedIds(),),
    "no_batch": (Rule("batching", "has batches", value=False),),
    # Many at once.
    "batch": (Rule("batching", "has no batches"),),
    "batch_method": (Method("batch"),),
    "interleaving": (),
    "isolation": (),
    "large": (),
    # A connection that broke.
    "resume": (WAY_BACK, Rule("resumable", "gives nothing to come back for")),
    "resume_session": (WAY_BACK, SESSION),
    "polling": (WAY_BACK, Rule("primes_streams", "lets no connection go")),
}


@dataclass(frozen=True)
class Cell:
    """A place where a behaviour is run."""

    behaviour: str
    door: Door
    revision: Revision
    deployment: Deployment

    def __str__(self) -> str:
        return f"{self.door.name}-{self.revision.name}-{self.deployment.name}"


def absence(cell: Cell) -> str | None:
    """Return why nothing is run in a place, or None where something is."""
    if cell.deployment is not ONE and cell.door.alone is not None:
        return cell.door.alone
    reason = cell.door.absence(cell.revision)
    for need in TABLE[cell.behaviour]:
        reason = reason or need.absence(cell)
    return reason


def places(behaviour: str) -> Iterator[tuple[Cell, str | None]]:
    """Yield every place of a behaviour with its reason."""
    for door in DOORS:
        for revision in ALL_REVISIONS.values():
            for deployment in DEPLOYMENTS:
                cell = Cell(behaviour, door, revision, deployment)
                yield cell, absence(cell)


def cells(behaviour: str) -> list[Cell]:
    return [cell for cell, reason in places(behaviour) if reason is None]
