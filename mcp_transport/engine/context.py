"""All that a tool may touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.errors import InputRequired
from mcp_transport.protocol.messages import Id
from mcp_transport.protocol.peer import LEVELS, Peer
from mcp_transport.protocol.questions import Answer, BadAnswer, Question

if TYPE_CHECKING:
    from mcp_transport.engine.exchange import Arrival, Exchange

Level = Literal[
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"
]
T = TypeVar("T")


class Context:
    """One call, as its tool, resource or prompt sees it.

    Every method returns at once and may be called from plain and async
    functions alike. A function receives it by annotating a parameter with
    ``Context``, anywhere in its signature.
    """

    __slots__ = ("_answers", "_exchange", "answered")

    def __init__(self, exchange: Exchange, answers: Mapping[str, Answer]) -> None:
        self._exchange = exchange
        self._answers = answers
        self.answered: dict[str, Answer] = {}

    @property
    def caller(self) -> Caller:
        """Who calls: subject, scopes, user."""
        return self._exchange.caller

    @property
    def user(self) -> Any:
        """The Django user of the caller, or None."""
        return self._exchange.caller.user

    @property
    def client(self) -> Peer:
        """The client's revision, declared capabilities and self-given name."""
        return self._exchange.peer

    @property
    def request_id(self) -> Id:
        return self._exchange.request_id

    @property
    def method(self) -> str:
        return self._exchange.method

    @property
    def params(self) -> Mapping[str, Any]:
        """The params of the request as they came; hooks may read them."""
        return self._exchange.params

    @property
    def arrival(self) -> Arrival:
        """How the request came: by which door, with which headers, in which session."""
        return self._exchange.arrival

    @property
    def cancelled(self) -> bool:
        """Whether the call was cancelled or ran out of time.

        An async tool is interrupted; a plain one has to look here.
        """
        return self._exchange.call.cancelled

    @property
    def timed_out(self) -> bool:
        """Whether the call ran out of time, and its client has heard so."""
        return self._exchange.timed_out

    @property
    def left_s(self) -> float:
        """How many seconds the call has left: 0 once its time is over, infinite
        without a deadline.
        """
        return self._exchange.call.left_s

    def ask(self, **questions: Question) -> dict[str, Answer]:
        """Ask the client, and return its answers by the names of the questions.

        Where the answers are not there yet this raises, and the tool is run
        again from its start once they are: do what has side effects after the
        last ``ask``. How to read an answer is said at each kind of question.
        """
        missing: dict[str, Question] = {}
        refused: dict[str, str] = {}
        for name, question in questions.items():
            answer = self._answers.get(name)
            if answer is None:
                missing[name] = question
                continue
            try:
                if type(answer) is not dict:
                    raise BadAnswer("an answer must be an object")
                question.check(answer)
            except BadAnswer as error:
                refused[name] = str(error)
            else:
                self.answered[name] = answer
        if missing or refused:
            raise InputRequired(missing, refused)
        return {name: self.answered[name] for name in questions}

    def progress(
        self, value: float, total: float | None = None, message: str | None = None
    ) -> None:
        """Tell how far the call is, if the client asked to be told.

        A value that does not exceed the last one is not sent.
        Raises ValueError for numbers that are not finite.
        """
        if not (isfinite(value) and (total is None or isfinite(total))):
            raise ValueError("progress and its total must be finite")
        exchange = self._exchange
        meta = exchange.params.get("_meta")
        token = meta.get("progressToken") if type(meta) is dict else None
        if type(token) not in (str, int):
            return
        params: dict[str, Any] = {"progressToken": token, "progress": value}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        exchange.progress(value, exchange.peer.revision.prune("ProgressParams", params))

    def log(self, level: Level, data: object, logger: str | None = None) -> None:
        """Send a log message to the client, if it wants messages of this level.

        ``data`` is anything that JSON can say. Never put secrets in it.
        Raises ValueError for a level that does not exist.
        """
        if level not in LEVELS:
            raise ValueError(f"{level!r} is none of {', '.join(LEVELS)}")
        if not self._exchange.peer.hears(level):
            return
        params: dict[str, Any] = {"level": level, "data": data}
        if logger is not None:
            params["logger"] = logger
        self._exchange.log(params)

    def note(self, name: str, value: object) -> None:
        """Leave a note for the observers of this call, which no client sees.

        The last note of a name counts, of those left before the response is given.
        """
        self._exchange.notes[name] = value

    def close_stream(self, retry_ms: int = 1000) -> None:
        """Let the client's connection go while the call runs on.

        A client that can resume comes back after ``retry_ms`` and finds what
        it missed; with any other this does nothing.
        Spec: 2025-11-25 basic/transports #sending-messages-to-the-server.
        """
        if self._exchange.peer.revision.primes_streams:
            self._exchange.hang_up(retry_ms)

    async def run_sync(self, function: Callable[[], T]) -> T:
        """Run a plain function on the bounded pool of threads."""
        return await self._exchange.server.run_sync(function)
