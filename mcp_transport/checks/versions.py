"""Versions of others below which we would not be safe."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.core.checks import CheckMessage, Error
from django.utils.version import get_version_tuple

LEAST = {
    # CVE-2026-33034: a chunked body of any size; CVE-2026-3902: forged headers.
    "Django": (5, 2, 13),
    # CVE-2026-44545: a WebSocket message of any size; CVE-2026-44546: headers.
    "daphne": (4, 2, 2),
}


def check_versions(**_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} {there} has known holes in what the endpoint is served by.",
            hint=f'pip install "{name}>={".".join(map(str, least))}"',
            id="mcp_transport.E015",
        )
        for name, least in LEAST.items()
        if (there := _installed(name)) is not None and get_version_tuple(there) < least
    ]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
