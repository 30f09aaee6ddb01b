"""A project that is made to be attacked: no store, no database, no bound on callers.

SECURITY_JOURNAL    the file in which tools note that they have run, if any do
SECURITY_CATALOGUE  the dotted path of another shelf
"""

from __future__ import annotations

import os

SHELF = "tests.security.target.catalogue.shelf"

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.wire.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]
MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware"]

MCP = {
    "NAME": "target",
    "CATALOGUE": os.environ.get("SECURITY_CATALOGUE", SHELF),
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    # All clients of a test are one caller.
    "MAX_SESSIONS": 100_000,
    "MAX_CALLS": 1000,
    "MAX_STREAMS": 1000,
}
