"""A project with real tokens, whose sessions are few and may be short.

SECURITY_DATABASE  the file of its database
SECURITY_STORE     the URL of its Redis, if it has one
SECURITY_CONF      more of settings.MCP, as JSON
"""

from __future__ import annotations

import json
import os

from mcpsite.environment import cache

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "[::1]", "mcp.example"]
# Anonymous callers together with a name that others may know: what the check warns
# of must not let anybody in from elsewhere.
SILENCED_SYSTEM_CHECKS = ["mcp_transport.E014"]
ROOT_URLCONF = "tests.security.served.urls"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mcp_transport",
    "tools_app",
]
MIDDLEWARE: list[str] = []
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SECURITY_DATABASE"],
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
STORE = os.environ.get("SECURITY_STORE", "memory")
CACHES = {
    # Where all processes see which tickets were used.
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": os.environ["SECURITY_DATABASE"] + ".cache",
    },
    "rates": cache(STORE),
}
RATELIMIT_USE_CACHE = "rates"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

MCP = {
    "NAME": "security",
    "CATALOGUE": "tests.security.served.catalogue.shelf",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "TICKETS": "tools_app.tickets.SingleUse",
    "STORE": STORE,
    "PAGE_SIZE": 2,
    **json.loads(os.environ.get("SECURITY_CONF", "{}")),
}
