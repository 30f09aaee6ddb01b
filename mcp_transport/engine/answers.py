"""The questions that tools of this process have asked, until they are answered."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable

from mcp_transport.protocol.messages import Id, Response
from mcp_transport.protocol.signing import Signer


class Answers:
    """Makes the ids of questions, and hands over what is answered to them.

    An id is signed: every process can tell that one of ours asked that session.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._expected: dict[tuple[str, Id], asyncio.Future[Response]] = {}

    def new_id(self, session_id: str) -> str:
        return self._signer.sign(_purpose(session_id), secrets.token_bytes(9))

    def asked(self, session_id: str, id: Id | None) -> bool:
        """Tell whether ``id`` is that of a question to this session, by any process."""
        if not isinstance(id, str):
            return False
        return self._signer.verify(_purpose(session_id), id) is not None

    def expect(self, session_id: str, id: Id) -> Awaitable[Response]:
        """Return what will be the answer to a question.

        It is registered at once, so that an answer cannot come too early.
        """
        key = (session_id, id)
        future = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: self._expected.pop(key, None))
        self._expected[key] = future
        return future

    def put(self, session_id: str, response: Response) -> bool:
        """Hand over an answer; False when nobody in this process waits for it."""
        if response.id is None:
            return False
        future = self._expected.get((session_id, response.id))
        if future is None or future.done():
            return False
        future.set_result(response)
        return True


def _purpose(session_id: str) -> str:
    return f"question:{session_id}"
