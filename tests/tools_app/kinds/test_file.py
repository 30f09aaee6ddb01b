from __future__ import annotations

import contextlib
import os
import socket
from base64 import b64decode
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from mcp_transport import connect
from mcp_transport.protocol.errors import ProtocolError
from tests.tools_app.kinds.making import complaints, made, served
from tools_app.kinds.confined import read_file
from tools_app.kinds.file import MAX_FILE_BYTES

PNG = b"\x89PNG\r\n\x1a\n\x00"


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "shared"
    (folder / "handbook").mkdir(parents=True)
    (folder / "handbook" / "hours.md").write_text("Nine to five, für alle.\n")
    (folder / "logo.png").write_bytes(PNG)
    (tmp_path / "secret.txt").write_text("the key")
    settings.MCP_FILES_ROOT = folder
    return folder


async def read(entry: Any) -> dict[str, Any]:
    async with connect(served(entry)) as client:
        result = await client.read_resource(entry.uri)
    contents: dict[str, Any] = result["contents"][0]
    return contents


async def code_of(entry: Any) -> tuple[int, str]:
    with pytest.raises(ProtocolError) as caught:
        await read(entry)
    return caught.value.code, str(caught.value)


async def test_a_text_is_text_and_anything_else_a_blob(root: Path) -> None:
    assert await read(made("file", "docs://hours", {"path": "handbook/hours.md"})) == {
        "uri": "docs://hours",
        "mimeType": "text/markdown",
        "text": "Nine to five, für alle.\n",
    }
    logo = await read(made("file", "docs://logo", {"path": "logo.png"}))
    assert logo["mimeType"] == "image/png"
    assert b64decode(logo["blob"]) == PNG


async def test_a_media_type_can_be_given(root: Path) -> None:
    spec = {"path": "handbook/hours.md", "mime_type": "application/x-hours"}
    assert b64decode((await read(made("file", "docs://hours", spec)))["blob"])


async def test_text_that_is_no_utf8_is_a_blob(root: Path) -> None:
    (root / "old.txt").write_bytes("für".encode("latin-1"))
    found = await read(made("file", "docs://old", {"path": "old.txt"}))
    assert found["mimeType"] == "text/plain"
    assert b64decode(found["blob"]) == b"f\xfcr"


async def test_a_file_is_read_anew_each_time(root: Path) -> None:
    entry = made("file", "docs://hours", {"path": "handbook/hours.md"})
    (root / "handbook" / "hours.md").write_text("Ten to four.")
    assert (await read(entry))["text"] == "Ten to four."
    (root / "handbook" / "hours.md").unlink()
    assert await code_of(entry) == (-32602, "Resource not found")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "handbook/../../secret.txt",
        "/etc/passwd",
        "handbook//hours.md",
        "./handbook/hours.md",
        "handbook\\hours.md",
        "handbook/hours.md\x00.png",
        "handbook/",
        "handbook",
        ".env",
        "handbook/.git/config",
        "",
        "no-such-file",
        "logo.png/inside",
        "x" * 300,
    ],
)
def test_a_path_that_leaves_the_folder_or_leads_nowhere_is_refused(
    root: Path, path: str
) -> None:
    (root / ".env").write_text("KEY=1")
    assert "path" in complaints("file", {"path": path})


def test_a_link_out_of_the_folder_is_refused_at_entry(root: Path) -> None:
    (root / "leak.txt").symlink_to(root.parent / "secret.txt")
    (root / "up").symlink_to(root.parent)
    (root / "hidden.txt").symlink_to(root / ".env")
    (root / ".env").write_text("KEY=1")
    (root / "loop").symlink_to(root / "loop")
    for path in ("leak.txt", "up/secret.txt", "hidden.txt", "loop"):
        assert "path" in complaints("file", {"path": path}), path


@pytest.mark.parametrize("at", ["handbook", "handbook/hours.md"])
async def test_a_link_that_appears_later_is_refused_when_it_is_read(
    root: Path, at: str
) -> None:
    entry = made("file", "docs://hours", {"path": "handbook/hours.md"})
    (root.parent / "hours.md").write_text("the key")
    (root / "handbook" / "hours.md").unlink()
    if at == "handbook":
        (root / "handbook").rmdir()
        (root / "handbook").symlink_to(root.parent)
    else:
        (root / at).symlink_to(root.parent / "hours.md")
    assert await code_of(entry) == (-32602, "Resource not found")


async def test_a_link_within_the_folder_is_followed(root: Path) -> None:
    (root / "current.md").symlink_to("handbook/hours.md")
    entry = made("file", "docs://hours", {"path": "current.md"})
    assert "Nine" in (await read(entry))["text"]


async def test_a_pipe_holds_nobody_up(root: Path) -> None:
    entry = made("file", "docs://hours", {"path": "handbook/hours.md"})
    (root / "handbook" / "hours.md").unlink()
    os.mkfifo(root / "handbook" / "hours.md")
    assert "path" in complaints("file", {"path": "handbook/hours.md"})
    assert await code_of(entry) == (-32602, "Resource not found")


def become(path: Path, what: str) -> None:
    """Put something else in the place of a file."""
    path.unlink()
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    else:
        with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(path.parent):
            listening.bind(path.name)


@pytest.mark.parametrize("what", ["folder", "pipe", "loop", "socket"])
async def test_whatever_takes_the_place_of_a_file_is_no_file_and_is_not_left_open(
    root: Path, what: str
) -> None:
    entry = made("file", "docs://hours", {"path": "handbook/hours.md"})
    become(root / "handbook" / "hours.md", what)
    assert await code_of(entry) == (-32602, "Resource not found")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(FileNotFoundError):
            read_file(root, PurePosixPath("handbook/hours.md"), MAX_FILE_BYTES)
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_file_that_is_too_large_is_not_served(root: Path) -> None:
    path = root / "large.txt"
    path.write_bytes(b"x" * MAX_FILE_BYTES)
    entry = made("file", "docs://large", {"path": "large.txt"})
    assert len((await read(entry))["text"]) == MAX_FILE_BYTES
    path.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    assert "path" in complaints("file", {"path": "large.txt"})
    code, text = await code_of(entry)
    assert code == -32603
    assert str(MAX_FILE_BYTES) in text


@pytest.mark.parametrize("given", [None, "", "relative", "/no/such/folder"])
def test_without_a_folder_nothing_is_served(
    root: Path, settings: Any, given: str | None
) -> None:
    settings.MCP_FILES_ROOT = given
    (complaint,) = complaints("file", {"path": "logo.png"})["path"]
    assert "MCP_FILES_ROOT" in complaint
