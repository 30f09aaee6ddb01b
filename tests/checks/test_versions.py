from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from mcp_transport.checks import versions
from mcp_transport.checks.versions import check_versions


def test_what_is_installed_here_is_recent_enough() -> None:
    assert check_versions() == []


@pytest.mark.parametrize(
    ("django", "daphne", "named"),
    [
        ("5.2.13", "4.2.2", []),
        ("6.1", None, []),
        ("5.2.12", "4.2.2", ["Django>=5.2.13"]),
        ("5.2.9", "4.1", ["Django>=5.2.13", "daphne>=4.2.2"]),
        ("6.0.1", "4.2.1", ["daphne>=4.2.2"]),
    ],
)
def test_what_has_known_holes_is_refused(
    django: str,
    daphne: str | None,
    named: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {"Django": django, "daphne": daphne}

    def version(name: str) -> str:
        found = there[name]
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(versions, "version", version)
    messages = check_versions()
    assert [message.id for message in messages] == ["mcp_transport.E015"] * len(named)
    assert [message.hint for message in messages] == [
        f'pip install "{one}"' for one in named
    ]
