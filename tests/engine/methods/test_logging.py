from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.server import Server
from mcp_transport.protocol.errors import INVALID_PARAMS
from mcp_transport.protocol.peer import LEVELS
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import LATEST_STATEFUL
from tests.engine.exchanges import (
    error,
    every_revision,
    every_stateful,
    every_stateless,
    opened,
    result,
    said,
    serving,
    session_of,
)


def talking() -> Server:
    shelf = Shelf()

    @shelf.tool
    def talk(ctx: Context) -> str:
        for level in LEVELS:
            ctx.log(level, level)  # type: ignore[arg-type]
        return "done"

    return serving(shelf)


async def heard(server: Server, **options: Any) -> list[str]:
    """Return the levels of the messages before the response of one call."""
    *messages, response = await said(
        opened(server, "tools/call", {"name": "talk"}, **options)
    )
    assert response["result"]["content"][0]["text"] == "done"
    assert {message["method"] for message in messages} <= {"notifications/message"}
    return [message["params"]["level"] for message in messages]


@every_stateful
async def test_a_session_hears_the_level_that_it_set(revision: Revision) -> None:
    server, session = talking(), session_of(revision)
    for level in ("warning", "emergency", "debug"):
        params = {"level": level}
        assert await result(server, "logging/setLevel", params, session=session) == {}
        levels = await heard(server, session=session, id=level)
        assert levels == list(LEVELS[LEVELS.index(level) :])


@every_stateful
async def test_a_session_that_set_none_is_spared_the_details(
    revision: Revision,
) -> None:
    assert await heard(talking(), revision=revision) == list(LEVELS[1:])


@every_stateful
async def test_a_level_is_of_one_session(revision: Revision) -> None:
    server = talking()
    one, other = session_of(revision), session_of(revision)
    await result(server, "logging/setLevel", {"level": "alert"}, session=one)
    assert await heard(server, session=one) == ["alert", "emergency"]
    assert len(await heard(server, session=other)) == 7


@every_stateless
async def test_a_request_hears_what_it_asks_for_and_otherwise_nothing(
    revision: Revision,
) -> None:
    server = talking()
    assert await heard(server, revision=revision) == []
    found = await heard(server, revision=revision, log_level="critical")
    assert found == ["critical", "alert", "emergency"]
    assert await heard(server, revision=revision) == []


@pytest.mark.parametrize("level", [None, "loud", "INFO", "", 3, ["info"], {}])
@every_revision
async def test_a_level_that_there_is_not_is_the_peers_fault(
    revision: Revision, level: Any
) -> None:
    if revision.stateful:
        session = session_of(LATEST_STATEFUL)
        params = {"level": level}
        found = await error(talking(), "logging/setLevel", params, session=session)
        assert session.peer is not None
        assert session.peer.log_level == LATEST_STATEFUL.default_log_level
    elif level is None:
        return
    else:
        found = await error(talking(), "tools/list", log_level=level)
    assert found == {
        "code": INVALID_PARAMS,
        "message": f"The log level must be one of {', '.join(LEVELS)}",
    }
