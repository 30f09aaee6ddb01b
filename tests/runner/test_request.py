"""What reaches the application, and what becomes of one that fails."""

from __future__ import annotations

import pytest

from tests.runner.wire import HEAD, ask, get
from tests.serving import Served


def test_the_place_of_the_application_is_not_taken_from_a_client(
    served: Served,
) -> None:
    lines = b"GET / HTTP/1.1\r\nDaphne-Root-Path: /elsewhere\r\n" + HEAD + b"\r\n"
    assert b'"root_path": ""' in ask(served, lines).said


def test_an_application_that_fails_is_an_error(served: Served) -> None:
    heard = ask(served, get(b"/fail"))
    assert heard.status == 500
    assert b"as it was told" not in heard.said


def test_a_reply_that_has_begun_breaks_off(served: Served) -> None:
    """Its end is missing, so that nobody takes a part for the whole; and the server
    goes on to look after the others.
    """
    with pytest.raises(ConnectionResetError):
        ask(served, get(b"/fail?begun=1"))
    assert ask(served, get(b"/fail")).status == 500
    with pytest.raises(ConnectionResetError):
        ask(served, get(b"/fail?begun=1"))
