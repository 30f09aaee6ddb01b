"""A project that serves the tests' own catalogue, in a process of its own."""

from __future__ import annotations

import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.wire.urls"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mcp_transport",
    "tools_app",
]
# None of these refuses a foreign Host: the endpoint has to by itself.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SERVED_DATABASE"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MCP = {
    "NAME": "served",
    "CATALOGUE": "tests.wire.served.catalogue.shelf",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "MAX_SESSIONS": 1000,
    "MAX_STREAMS": 1000,
    "MAX_CALLS": 1000,
}
