"""As much of a project as the echo needs, which takes the largest message that the
Autobahn Testsuite sends.
"""

from __future__ import annotations

SECRET_KEY = "only for the tests, and long enough that no check complains of it"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = ["mcp_transport"]

MCP = {"NAME": "echo", "ALLOW_ANONYMOUS": True, "MAX_BODY_BYTES": 16 * 1024 * 1024}
