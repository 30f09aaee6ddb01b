"""The fixtures do what their names say.

The suite compares almost no text, and some of its scenarios pass against an
error; so what it stands on is looked at here, exactly.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.conformance.fixtures.media import PNG, WAV
from tests.conformance.fixtures.schemas import CONTACT
from tests.conformance.wire import ask
from tests.serving import Served

PICTURE = {
    "type": "image",
    "data": b64encode(PNG).decode(),
    "mimeType": "image/png",
}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def call(served: Served, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = ask(served, "tools/call", name=tool, arguments=arguments)
    result: dict[str, Any] = answer["result"]
    return result


@pytest.mark.parametrize(
    ("tool", "content"),
    [
        ("test_simple_text", [text("This is a simple text response for testing.")]),
        ("test_image_content", [PICTURE]),
        (
            "test_audio_content",
            [
                {
                    "type": "audio",
                    "data": b64encode(WAV).decode(),
                    "mimeType": "audio/wav",
                }
            ],
        ),
        (
            "test_embedded_resource",
            [
                {
                    "type": "resource",
                    "resource": {
                        "uri": "test://embedded-resource",
                        "mimeType": "text/plain",
                        "text": "This is an embedded resource content.",
                    },
                }
            ],
        ),
        (
            "test_multiple_content_types",
            [
                text("Multiple content types test:"),
                PICTURE,
                {
                    "type": "resource",
                    "resource": {
                        "uri": "test://mixed-content-resource",
                        "mimeType": "application/json",
                        "text": '{"test":"data","value":123}',
                    },
                },
            ],
        ),
    ],
)
def test_a_tool_gives_its_content(
    served: Served, tool: str, content: list[dict[str, Any]]
) -> None:
    result = call(served, tool)
    assert result["content"] == content
    assert result.get("isError", False) is False


def test_a_failing_tool_says_why(served: Served) -> None:
    result = call(served, "test_error_handling")
    assert result["isError"] is True
    assert result["content"] == [
        text("This tool intentionally returns an error for testing")
    ]


def test_an_unknown_tool_is_an_error_of_the_protocol(served: Served) -> None:
    answer = ask(served, "tools/call", name="no_such_tool", arguments={})
    assert answer["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("tool", "required"),
    [
        ("test_missing_capability", {"sampling": {}}),
        ("test_streaming_elicitation", {"elicitation": {"form": {}}}),
    ],
)
def test_a_tool_that_asks_needs_a_client_that_can_answer(
    served: Served, tool: str, required: dict[str, Any]
) -> None:
    answer = ask(served, "tools/call", name=tool, arguments={})
    assert answer["error"]["code"] == -32021
    assert answer["error"]["data"]["requiredCapabilities"] == required


def test_the_schema_arrives_as_it_was_written(served: Served) -> None:
    tools = ask(served, "tools/list")["result"]["tools"]
    schemas = {tool["name"]: tool["inputSchema"] for tool in tools}
    assert schemas["json_schema_2020_12_tool"] == CONTACT
    header = schemas["test_x_mcp_header"]["properties"]["region"]["x-mcp-header"]
    assert header == "Region"


@pytest.mark.parametrize(
    ("uri", "contents"),
    [
        (
            "test://static-text",
            {
                "mimeType": "text/plain",
                "text": "This is the content of the static text resource.",
            },
        ),
        (
            "test://static-binary",
            {"mimeType": "image/png", "blob": PICTURE["data"]},
        ),
        (
            "test://template/123/data",
            {
                "mimeType": "application/json",
                "text": '{"id":"123","templateTest":true,"data":"Data for ID: 123"}',
            },
        ),
    ],
)
def test_a_resource_gives_its_contents(
    served: Served, uri: str, contents: dict[str, str]
) -> None:
    answer = ask(served, "resources/read", uri=uri)
    assert answer["result"]["contents"] == [{"uri": uri, **contents}]


def test_a_prompt_gives_its_messages(served: Served) -> None:
    prompt = "test_prompt_with_embedded_resource"
    arguments = {"resourceUri": "test://example"}
    answer = ask(served, "prompts/get", name=prompt, arguments=arguments)
    assert answer["result"]["messages"] == [
        {
            "role": "user",
            "content": {
                "type": "resource",
                "resource": {
                    "uri": "test://example",
                    "mimeType": "text/plain",
                    "text": "Embedded resource content for testing.",
                },
            },
        },
        {
            "role": "user",
            "content": text("Please process the embedded resource above."),
        },
    ]


def test_a_completion_gives_the_values_that_fit(served: Served) -> None:
    answer = ask(
        served,
        "completion/complete",
        ref={"type": "ref/prompt", "name": "test_prompt_with_arguments"},
        argument={"name": "arg1", "value": "testi"},
    )
    assert answer["result"]["completion"]["values"] == ["testing"]


def test_a_tool_changes_the_list_of_tools(served: Served) -> None:
    def listed() -> bool:
        tools = ask(served, "tools/list")["result"]["tools"]
        return "changing_tool" in {tool["name"] for tool in tools}

    before = listed()
    call(served, "test_trigger_tool_change")
    assert listed() is not before
    call(served, "test_trigger_tool_change")
    assert listed() is before
