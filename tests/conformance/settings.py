"""A project that serves the fixtures which the conformance suite asks for.

The suite cannot send a token, so anonymous callers are let in.
"""

from __future__ import annotations

import os

PORT = os.environ["PORT"]

SECRET_KEY = "only for the conformance suite, which meets this server alone"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "tests.conformance.urls"
USE_TZ = True
INSTALLED_APPS = ["mcp_transport", "tests.conformance.fixtures"]
# None of these refuses a foreign Host or Origin: the endpoint has to by itself.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

MCP = {
    "NAME": "conformance-fixtures",
    "VERSION": "1.0.0",
    "ALLOW_ANONYMOUS": True,
    "ALLOWED_ORIGINS": [f"http://127.0.0.1:{PORT}", f"http://localhost:{PORT}"],
}
