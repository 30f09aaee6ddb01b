"""A project of several processes; RUNNER_STORE is the URL of their Redis."""

from __future__ import annotations

import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.wire.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["RUNNER_STORE"],
    }
}

MCP = {
    "NAME": "runner",
    "CATALOGUE": "tests.wire.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "STORE": os.environ["RUNNER_STORE"],
}
