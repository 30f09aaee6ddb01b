"""What is served."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from mcp_transport.conf import imported, read_settings
from mcp_transport.engine.catalogue import Shelf


def check_catalogue(**_: Any) -> list[CheckMessage]:
    conf, _problems = read_settings()
    try:
        catalogue = imported(conf.catalogue)
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint='Name a Shelf in MCP["CATALOGUE"], or take the key out.',
                id="mcp_transport.E005",
            )
        ]
    # One that is not the shelf itself may say which one it serves.
    shelf = getattr(catalogue, "shelf", catalogue)
    if not isinstance(shelf, Shelf):
        return []
    return [
        Error(
            collision,
            hint="Give one of them another name=.",
            id="mcp_transport.E002",
        )
        for collision in shelf.collisions
    ]
