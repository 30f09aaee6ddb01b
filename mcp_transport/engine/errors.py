"""How a tool says that it cannot go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_transport.protocol.questions import Question


class ToolError(Exception):
    """A tool's own failure, in words that a model can act on.

    It goes in-band, as a result with ``isError``; the text is sent as it is.
    Spec: 2026-07-28 server/tools #error-handling.
    """


class ResourceNotFound(Exception):
    """There is nothing under this URI, though a template matches it."""


class InputRequired(BaseException):
    """Raised by ``Context.ask``: the client must answer before the tool goes on.

    It is a BaseException so that ``except Exception`` in a tool cannot swallow
    it. The tool runs again from its start once the answers are there.
    ``refused`` says why answers that did come are none.
    """

    def __init__(
        self, questions: Mapping[str, Question], refused: Mapping[str, str]
    ) -> None:
        super().__init__(", ".join(questions))
        self.questions = questions
        self.refused = refused
