"""A small shop, which the official clients meet with a bearer token."""

from __future__ import annotations

import os

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.clients.urls"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mcp_transport",
    "tools_app",
    "tests.clients.shop",
]
MIDDLEWARE: list[str] = []
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SHOP_DATABASE"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MCP: dict[str, object] = {
    "NAME": "tea-shop",
    "TITLE": "The Tea Shop",
    "VERSION": "1.2.3",
    "INSTRUCTIONS": "Ask for a quote before you order.",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "STORE": os.environ.get("SHOP_STORE", "memory"),
}

if os.environ.get("SHOP_IS_OPEN") == "1":
    MCP["ALLOW_ANONYMOUS"] = True
    MCP["ALLOWED_ORIGINS"] = [f"http://127.0.0.1:{os.environ['PORT']}"]
