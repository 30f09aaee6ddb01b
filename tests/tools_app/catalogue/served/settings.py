"""A shop whose catalogue administrators steer, served by any number of processes."""

from __future__ import annotations

import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.interaction.served.urls"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mcp_transport",
    "tools_app",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SHOP_DATABASE"],
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORE = os.environ.get("SHOP_STORE", "memory")
if STORE != "memory":
    # Rates are counted by all processes together.
    _REDIS = "django.core.cache.backends.redis.RedisCache"
    CACHES = {"default": {"BACKEND": _REDIS, "LOCATION": STORE}}
MCP = {
    "NAME": "shop",
    "CATALOGUE": os.environ["SHOP_CATALOGUE"],
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "STORE": STORE,
}
