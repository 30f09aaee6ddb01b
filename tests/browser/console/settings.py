"""The desk with the console, and what its page needs: static files, logins."""

from __future__ import annotations

import os

from tests.browser.settings import ALLOWED_HOSTS as ALLOWED_HOSTS
from tests.browser.settings import DATABASES as DATABASES
from tests.browser.settings import DEFAULT_AUTO_FIELD as DEFAULT_AUTO_FIELD
from tests.browser.settings import INSTALLED_APPS as DESK_APPS
from tests.browser.settings import MCP as DESK_MCP
from tests.browser.settings import MIDDLEWARE as DESK_MIDDLEWARE
from tests.browser.settings import PASSWORD_HASHERS as PASSWORD_HASHERS
from tests.browser.settings import SECRET_KEY as SECRET_KEY
from tests.browser.settings import STATIC_URL as STATIC_URL
from tests.browser.settings import TEMPLATES as TEMPLATES
from tests.browser.settings import USE_TZ as USE_TZ

# The page is of the server's own origin, or of another's.
ORIGINS = [os.environ["DESK_PAGES"], f"http://127.0.0.1:{os.environ.get('PORT', 8000)}"]
MCP = {**DESK_MCP, "ALLOWED_ORIGINS": ORIGINS}
ROOT_URLCONF = "tests.browser.console.urls"
INSTALLED_APPS = ["django.contrib.staticfiles", *DESK_APPS]
MIDDLEWARE = [
    "mcpsite.middleware.StaticFilesMiddleware",
    "mcpsite.middleware.content_security_policy",
    *DESK_MIDDLEWARE,
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
