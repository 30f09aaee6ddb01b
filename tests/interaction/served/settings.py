"""A project that opens every door, with bounds that a test can reach."""

from __future__ import annotations

import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.interaction.served.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]

PAGE_SIZE = 4
MAX_BODY_BYTES = 300_000
MCP = {
    "NAME": "interaction",
    "VERSION": "1.0",
    "TITLE": "The Interaction",
    "INSTRUCTIONS": "Call and see.",
    "CATALOGUE": "tests.interaction.served.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "STORE": os.environ.get("INTERACTION_STORE", "memory"),
    "PAGE_SIZE": PAGE_SIZE,
    "MAX_BODY_BYTES": MAX_BODY_BYTES,
}
