"""A project that is served over standard input and output."""

from __future__ import annotations

import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mcp_transport",
    "tools_app",
    "tests.stdio.shop",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SHOP_DATABASE"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SILENCED_SYSTEM_CHECKS = ["mcp_transport.W001"]
MCP = {
    "TRANSPORTS": [],
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "ALLOW_ANONYMOUS": "SHOP_IS_OPEN" in os.environ,
}
# What a project may have: a log that goes to standard output.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
    },
    "root": {"handlers": ["out"], "level": "INFO"},
}
