"""A project that keeps a ledger of the calls of one process.

FAULTS_DATABASE  the file of the database
FAULTS_JOURNAL   the file in which the tools note their side effects
"""

from __future__ import annotations

import os

from mcpsite.environment import database

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
# As the site has it.
DATABASES = {"default": database(os.environ["FAULTS_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MCP = {
    "NAME": "faults",
    "CATALOGUE": "tests.faults.served.catalogue.shelf",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "OBSERVERS": ["tools_app.ledger.Ledger"],
    "MAX_CALLS": 1000,
}
