"""A project that serves the shelf, with middleware that meddles with replies."""

from __future__ import annotations

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.wire.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]
MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]

MCP = {
    "NAME": "wire",
    "VERSION": "1.0",
    "TITLE": "The Wire",
    "DESCRIPTION": "A server for tests.",
    "WEBSITE_URL": "https://example.com/",
    "ICONS": [{"src": "https://example.com/icon.png", "sizes": ["any"]}],
    "INSTRUCTIONS": "Call and see.",
    "CATALOGUE": "tests.wire.catalogue.shelf",
    "AUTHENTICATORS": ["tests.wire.tokens.KnownTokens"],
    "KEEP_ALIVE_S": 5,
}
