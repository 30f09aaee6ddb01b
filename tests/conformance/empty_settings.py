"""The same project with nothing in its catalogue."""

from __future__ import annotations

from tests.conformance.settings import *  # noqa: F403

INSTALLED_APPS = ["mcp_transport"]
