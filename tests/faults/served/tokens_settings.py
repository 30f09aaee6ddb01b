"""A project whose callers hold tokens from a database, and whose processes count in
one cache.

FAULTS_DATABASE  the file of the database
FAULTS_STORE     the URL of the Redis, which is the cache as well
FAULTS_JOURNAL   the file in which the tools note their side effects
FAULTS_RATE      how often a session may be served, and one caller the tool "rarely"
"""

from __future__ import annotations

import os

from mcpsite.environment import cache

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
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["FAULTS_DATABASE"],
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": cache(os.environ["FAULTS_STORE"])}

MCP = {
    "NAME": "faults",
    "CATALOGUE": "tests.faults.served.rated.shelf",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "STORE": os.environ["FAULTS_STORE"],
    "RATE_PER_SESSION": os.environ["FAULTS_RATE"],
    # All clients of a test come from one address.
    "FAILURES_PER_ADDRESS": "",
    # A call that is held open lasts for as long as a test.
    "CALL_TIMEOUT_S": 3600,
}
