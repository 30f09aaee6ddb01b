"""A project that serves WebSockets, with bounds that a test can reach."""

from __future__ import annotations

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.wire.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]

MCP = {
    "NAME": "websocket",
    "CATALOGUE": "tests.websocket.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "ALLOWED_ORIGINS": ["https://app.example.com"],
    "MAX_BODY_BYTES": 100_000,
    "MAX_IN_FLIGHT": 4,
    # All clients of a test are one caller.
    "MAX_CALLS": 1000,
    "MAX_STREAMS": 1000,
}
