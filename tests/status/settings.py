"""A project that is watched; STATUS_DATABASE and STATUS_STORE say by what it lives."""

from __future__ import annotations

import json
import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.status.urls"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "mcp_transport"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
DATABASES = {"default": json.loads(os.environ["STATUS_DATABASE"])}
STORE = os.environ.get("STATUS_STORE", "memory")
if STORE != "memory":
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": STORE,
        }
    }
METRICS_TOKEN = "only-for-the-tests-0123456789abcdef"
MCP = {
    "NAME": "watched",
    "VERSION": "7",
    "CATALOGUE": "tests.wire.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "OBSERVERS": [
        "mcp_transport.monitoring.CallLog",
        "mcp_transport.monitoring.Metrics",
    ],
    "METRICS_TOKEN": METRICS_TOKEN,
    "STORE": STORE,
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "mcp_transport.monitoring.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
