"""A project whose processes share a Redis and a journal, and can be made to die.

FAULTS_STORE     the URL of the Redis, or "memory"
FAULTS_JOURNAL   the file in which the tools note their side effects
FAULTS_HINTS     "dropped" loses every wake-up between processes
FAULTS_SILENT_S  after how long a silent process counts as dead, if not as usual
"""

from __future__ import annotations

import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.wire.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]

STORE = os.environ["FAULTS_STORE"]
if STORE != "memory":
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": STORE,
        }
    }

MCP = {
    "NAME": "faults",
    "CATALOGUE": "tests.faults.served.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "STORE": STORE,
    # All callers of a test are one, with a session each.
    "MAX_SESSIONS": 100_000,
    "MAX_CALLS": 100_000,
    "MAX_STREAMS": 10_000,
}
