"""A project whose clients are pages of another origin."""

from __future__ import annotations

import os

from tests.settings import INSTALLED_APPS as USUAL_APPS
from tests.settings import MIDDLEWARE as MIDDLEWARE
from tests.settings import SECRET_KEY as SECRET_KEY
from tests.settings import TEMPLATES as TEMPLATES

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.browser.urls"
USE_TZ = True
STATIC_URL = "static/"
INSTALLED_APPS = [*(app for app in USUAL_APPS if app != "mcpsite"), "tests.browser"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DESK_DATABASE"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MCP: dict[str, object] = {
    "NAME": "desk",
    "TITLE": "The Desk",
    "VERSION": "1.2.3",
    "INSTRUCTIONS": "Count before you order.",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "TICKETS": "tools_app.tickets.SingleUse",
    "ALLOWED_ORIGINS": [os.environ["DESK_PAGES"]],
    "MIDDLEWARE": ["mcp_transport.cors.CorsMiddleware"],
    # All pages are one caller.
    "MAX_STREAMS": 100,
}
