"""The project whose wire docs/transports.md shows: a small shop, at every door."""

from __future__ import annotations

import os

SECRET_KEY = "only for the recordings, and long enough that no check complains"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.wire.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]

MCP = {
    "NAME": "shop",
    "CATALOGUE": "tests.docs.served.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "STORE": os.environ.get("SHOP_STORE", "memory"),
    # A machine that is busy must not change what is on the page.
    "KEEP_ALIVE_S": 60,
}
