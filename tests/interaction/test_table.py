"""The table, held against the official schemas and against the doors themselves.

A cell that is missing although the protocol has it would be a behaviour that
nobody looks at.
"""

from __future__ import annotations

import inspect
import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mcp_transport import Shelf, connect
from mcp_transport.conf import TRANSPORTS
from mcp_transport.engine.limits import Limits
from mcp_transport.protocol.revisions import PLAIN, REVISIONS
from tests.engine.exchanges import serving
from tests.interaction.guest import text_of
from tests.interaction.matrix import (
    ALL_REVISIONS,
    DEPLOYMENTS,
    DOORS,
    ONE,
    PLAIN_HTTP,
    TABLE,
    TWO,
    Asks,
    Cell,
    Door,
    Field,
    Method,
    Nature,
    Need,
    Rule,
    SharedIds,
    absence,
    cells,
    places,
)
from tests.interaction.wires import WIRES
from tests.schemas import directory, official

HERE = Path(__file__).parent
every_behaviour = pytest.mark.parametrize("behaviour", TABLE)

# What no schema says. Spec: 2025-11-25 basic/transports
# #resumability-and-redelivery, changelog; 2026-07-28 changelog.
RESUMED = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}
PRIMED = {"2025-11-25"}

# The plain dialect has no schema: what it does without is said here.
NOT_PLAIN = {
    *("initialize", "discover", "too_early", "listen", "batch"),
    *("elicitation", "elicitation_by_url", "roots"),
    *("sampling", "sampling_with_tools"),
    *("resume", "polling"),
}


class Schema:
    """What the official schema of a revision has."""

    def __init__(self, revision: str) -> None:
        official(revision)  # skips, or fails, where the schemas are not
        found = directory()
        assert found is not None
        schema = json.loads((found / f"{revision}.json").read_text(encoding="utf-8"))
        self._definitions = schema.get("$defs") or schema["definitions"]

    def has(self, definition: str) -> bool:
        return definition in self._definitions

    def members(self, definition: str) -> dict[str, Any]:
        members: dict[str, Any] = self._definitions[definition]["properties"]
        return members

    def requests(self) -> set[str]:
        """Return the methods that clients call."""
        either = self._definitions["ClientRequest"]["anyOf"]
        names = [one["$ref"].rpartition("/")[2] for one in either]
        return {self.members(name)["method"]["const"] for name in names}

    def declares(self, path: tuple[str, ...]) -> bool:
        """Tell whether clients can declare a capability. An elicitation that has no
        modes yet is by forms.
        """
        declared = self.members("ClientCapabilities")
        for name in path:
            if not declared:
                return path == ("elicitation", "form")
            if name not in declared:
                return False
            declared = declared[name].get("properties", {})
        return True


@cache
def schema(revision: str) -> Schema:
    return Schema(revision)


def is_there(need: Need, door: Door, revision: str) -> bool:
    """Judge without the table of the revision."""
    match need:
        case Method(name):
            return name in schema(revision).requests()
        case Asks(path):
            return schema(revision).declares(path)
        case Field(kind, name):
            return name in schema(revision).members(kind)
        case Rule("stateful"):
            return "initialize" in schema(revision).requests()
        case Rule("batching", value=value):
            return schema(revision).has("JSONRPCBatchRequest") is value
        case Rule("resumable"):
            return revision in RESUMED
        case Rule("primes_streams"):
            return revision in PRIMED
        case SharedIds():
            return door.is_session or "initialize" in schema(revision).requests()
        case Nature(name):
            return bool(getattr(door, name))
    raise AssertionError(f"nobody judges {need}")


@every_behaviour
def test_no_cell_is_missing_that_the_protocol_has(behaviour: str) -> None:
    for door in DOORS:
        for name, revision in REVISIONS.items():
            is_served = name in {**door.binding.stateful, **door.binding.stateless}
            expected = is_served and all(
                is_there(need, door, name) for need in TABLE[behaviour]
            )
            cell = Cell(behaviour, door, revision, ONE)
            assert (absence(cell) is None) is expected, cell


def test_the_plain_dialect_has_all_but_what_is_named() -> None:
    plain = {one for one in TABLE if Cell(one, PLAIN_HTTP, PLAIN, ONE) in cells(one)}
    assert plain == set(TABLE) - NOT_PLAIN


@every_behaviour
def test_where_processes_are_shared_each_cell_is_run_with_several(
    behaviour: str,
) -> None:
    here = {(cell.door, cell.revision): cell for cell in cells(behaviour)}
    shared = {
        (cell.door, cell.revision)
        for cell in cells(behaviour)
        if cell.deployment is TWO
    }
    lacking = {at for at in here if at[0].alone is None} - shared
    known = {(PLAIN_HTTP, PLAIN)} if behaviour == "duplicate_id" else set()
    assert lacking == known


@every_behaviour
def test_each_place_has_a_cell_or_a_reason(behaviour: str) -> None:
    reasons = [reason for _, reason in places(behaviour)]
    assert len(reasons) == len(DOORS) * len(ALL_REVISIONS) * len(DEPLOYMENTS)
    assert None in reasons
    assert "" not in reasons


def test_each_behaviour_has_a_file_and_each_file_a_behaviour() -> None:
    files = {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")}
    assert files - {"table"} == set(TABLE)


@every_behaviour
def test_each_test_of_a_behaviour_is_run_in_its_cells(behaviour: str) -> None:
    module = import_module(f"tests.interaction.test_{behaviour}")
    tests = [one for name, one in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        assert "cell" in inspect.signature(test).parameters, test


def test_every_door_that_there_is_has_a_wire() -> None:
    assert list(WIRES) == [door.name for door in DOORS]
    named = {door.binding.name for door in DOORS}
    assert named == {*TRANSPORTS, "in-process", "stdio"}


async def test_in_process_a_message_may_have_any_size() -> None:
    """So there is nothing that could be too large."""
    shelf = Shelf()

    @shelf.tool
    async def echo(text: str) -> str:
        return text

    server = serving(shelf, limits=Limits(max_body_bytes=1000))
    async with connect(server) as client:
        result = await client.call_tool("echo", {"text": "x" * 5000})
        assert text_of(result) == "x" * 5000
