"""The tools that need further rounds give, in the end, what was answered to them.

The suite looks at most at the kind of the last result, never at its text.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.wire import ask
from tests.serving import Served

ABLE: dict[str, Any] = {"elicitation": {}, "sampling": {}, "roots": {}}
ANSWERS: dict[str, Any] = {
    "elicitation/create": {
        "name": {"action": "accept", "content": {"name": "Ada"}},
        "color": {"action": "accept", "content": {"color": "blue"}},
        "ok": {"action": "accept", "content": {"ok": True}},
        "context": {"action": "accept", "content": {"context": "a test"}},
    },
    "sampling/createMessage": {
        "role": "assistant",
        "content": {"type": "text", "text": "Paris"},
        "model": "model-1",
    },
    "roots/list": {"roots": [{"uri": "file:///a"}, {"uri": "file:///b"}]},
}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ANSWERS[request["method"]]
    if request["method"] == "elicitation/create":
        (field,) = request["params"]["requestedSchema"]["properties"]
        found = found[field]
    return found


def go_on(
    served: Served, method: str, name: str, **params: Any
) -> tuple[dict[str, Any], list[list[str]]]:
    """Answer until there is a result; return it, and what each round asked for."""
    rounds: list[list[str]] = []
    while True:
        got = ask(served, method, name=name, capabilities=ABLE, **params)["result"]
        if got["resultType"] == "complete":
            return got, rounds
        assert got["resultType"] == "input_required"
        rounds.append(sorted(got["inputRequests"]))
        assert len(rounds) < 5
        params["requestState"] = got["requestState"]
        params["inputResponses"] = {
            key: answer(request) for key, request in got["inputRequests"].items()
        }


@pytest.mark.parametrize(
    ("tool", "asked", "said"),
    [
        ("elicitation", [["user_name"]], "Hello, Ada!"),
        ("sampling", [["capital_question"]], "The model said: Paris"),
        ("list_roots", [["client_roots"]], "Roots: file:///a, file:///b"),
        ("request_state", [["confirm"]], "state-ok"),
        ("tampered_state", [["confirm"]], "tamper-ok"),
        (
            "multiple_inputs",
            [["client_roots", "greeting", "user_name"]],
            "Paris Ada: 2 roots",
        ),
        ("multi_round", [["step1"], ["step2"]], "Ada likes blue"),
        (
            "capabilities",
            [["elicitation", "roots", "sampling"]],
            "Answered: elicitation, sampling, roots",
        ),
    ],
)
def test_a_tool_says_what_it_was_answered(
    served: Served, tool: str, asked: list[list[str]], said: str
) -> None:
    result, rounds = go_on(
        served, "tools/call", f"test_input_required_result_{tool}", arguments={}
    )
    assert rounds == asked
    assert result["content"] == [{"type": "text", "text": said}]
    assert result.get("isError", False) is False


def test_a_prompt_says_what_it_was_answered(served: Served) -> None:
    result, rounds = go_on(served, "prompts/get", "test_input_required_result_prompt")
    assert rounds == [["user_context"]]
    assert result["messages"] == [
        {
            "role": "user",
            "content": {"type": "text", "text": "The context is: a test"},
        }
    ]


@pytest.mark.parametrize("capability", sorted(ABLE))
def test_a_tool_asks_only_what_the_client_can_answer(
    served: Served, capability: str
) -> None:
    got = ask(
        served,
        "tools/call",
        name="test_input_required_result_capabilities",
        arguments={},
        capabilities={capability: {}},
    )
    assert list(got["result"]["inputRequests"]) == [capability]


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_name": 12345},
        {"user_name": {"action": "accept"}},
        {"user_name": {"action": "accept", "content": {"name": 12345}}},
        {"user_name": {"action": "perhaps", "content": {"name": "Ada"}}},
    ],
)
def test_an_answer_that_is_none_is_refused(
    served: Served, wrong: dict[str, Any]
) -> None:
    got = ask(
        served,
        "tools/call",
        name="test_input_required_result_elicitation",
        arguments={},
        inputResponses=wrong,
        capabilities=ABLE,
    )
    assert got["error"]["code"] == -32602
    assert got["error"]["message"].startswith("inputResponses.user_name")


def test_declining_is_told_to_the_model(served: Served) -> None:
    got = ask(
        served,
        "tools/call",
        name="test_input_required_result_elicitation",
        arguments={},
        inputResponses={"user_name": {"action": "decline"}},
        capabilities=ABLE,
    )
    assert got["result"]["isError"] is True
    assert got["result"]["content"] == [
        {"type": "text", "text": "The user gave no name: decline."}
    ]


def test_a_state_is_good_for_its_own_request_only(served: Served) -> None:
    """It was sealed for one tool; another must not take it."""
    tool = "test_input_required_result_request_state"
    first = ask(served, "tools/call", name=tool, arguments={}, capabilities=ABLE)[
        "result"
    ]
    got = ask(
        served,
        "tools/call",
        name="test_input_required_result_tampered_state",
        arguments={},
        capabilities=ABLE,
        requestState=first["requestState"],
        inputResponses={"confirm": {"action": "accept", "content": {"ok": True}}},
    )
    assert got["error"]["code"] == -32602
