from __future__ import annotations

from mcp_transport.engine.errors import InputRequired, ResourceNotFound, ToolError
from mcp_transport.protocol.questions import ListRoots


def test_a_question_passes_by_except_exception_and_the_others_do_not() -> None:
    assert not issubclass(InputRequired, Exception)
    assert issubclass(ToolError, Exception)
    assert issubclass(ResourceNotFound, Exception)


def test_what_is_asked_is_named_when_it_is_logged() -> None:
    roots = ListRoots()
    raised = InputRequired({"where": roots, "who": roots}, {"why": "so"})
    assert str(raised) == "where, who"
    assert raised.questions == {"where": roots, "who": roots}
    assert raised.refused == {"why": "so"}
