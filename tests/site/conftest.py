"""The site's own settings, over those of the tests."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

# What the tests' project must keep: they decide on files and tables.
KEPT = {"BASE_DIR", "DATABASES", "DOCS_ROOT", "INSTALLED_APPS", "LOGGING", "SECRET_KEY"}


@pytest.fixture(scope="session")
def site_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MCPSITE_VAR_DIR", str(tmp_path_factory.mktemp("var")))
        environment.setenv("PORT", "8000")
        for name in ("DJANGO_ALLOWED_HOSTS", "DJANGO_DEBUG", "MCP_ALLOWED_ORIGINS"):
            environment.delenv(name, raising=False)
        module = importlib.import_module("mcpsite.settings")
    return {name: getattr(module, name) for name in dir(module) if name.isupper()}


@pytest.fixture(autouse=True)
def _as_the_site(site_settings: dict[str, Any]) -> Iterator[None]:
    chosen = {name: of for name, of in site_settings.items() if name not in KEPT}
    # What the code registers, which takes no database. The catalogue that the site
    # has is that of a site which was started: see test_served.
    chosen["MCP"] = {**chosen["MCP"], "CATALOGUE": "mcp_transport.catalogue"}
    with override_settings(**chosen):
        yield


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.fixture
def documents() -> Path:
    return Path(__file__).parent / "documents"
