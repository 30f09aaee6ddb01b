"""What docs/transports.md shows of the wire is what goes over the wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docs.record import PAGE, SCENES, record, rewritten, shown
from tests.docs.recording import Recording
from tests.docs.shop import Shop, opened

BLOCK = "Before.\n\n<!-- recording: one -->\n```text\n{}\n```\n\nBehind.\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    return shown(PAGE.read_text("utf-8"))


def test_the_page_shows_every_recording(page: dict[str, str]) -> None:
    assert list(page) == list(SCENES)


def test_no_marker_is_without_its_block(page: dict[str, str]) -> None:
    assert PAGE.read_text("utf-8").count("<!-- recording:") == len(page)


@pytest.mark.parametrize("name", SCENES)
async def test_the_wire_is_as_it_is_shown(
    name: str, shop: Shop, page: dict[str, str]
) -> None:
    assert await record(name, shop) == page[name]


def test_a_page_is_rewritten_between_its_markers() -> None:
    old, new = BLOCK.format("> old"), BLOCK.format("> new\n\n< 1")
    assert rewritten(old, {"one": "> new\n\n< 1"}) == new
    assert shown(new) == {"one": "> new\n\n< 1"}


def test_what_differs_from_time_to_time_has_a_name() -> None:
    recording = Recording(whole=True)
    recording.sent("Mcp-Session-Id: Ef1HqagKzxNpzDQ26KbzCUsL9lZ5GuNK", "1")
    recording.received("id: 0123456789abcdef.00ff00ff.12")
    recording.received('data: {"id":"c29tZXRoaW5nIHNpZ25lZA"}')
    assert recording.text.splitlines() == [
        "1> Mcp-Session-Id: SESSION",
        "< id: STREAM.EPOCH.12",
        '< data: {"id":"QUESTION"}',
    ]


def test_what_every_message_repeats_is_left_out() -> None:
    recording = Recording()
    meta = (
        '"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
        '"io.modelcontextprotocol/clientCapabilities":{}'
    )
    recording.sent(f'{{"_meta":{{{meta},"progressToken":"p"}}}}')
    assert recording.text == '> {"_meta":{…,"progressToken":"p"}}'
