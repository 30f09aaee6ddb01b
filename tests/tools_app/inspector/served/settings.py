"""A site with an admin, in a process of its own."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, MIDDLEWARE

ROOT_URLCONF = "tests.tools_app.inspector.served.urls"
# One of them is sync: then Django runs the view from a thread.
MIDDLEWARE = ["mcpsite.middleware.content_security_policy", *MIDDLEWARE]
DATABASES["default"]["NAME"] = os.environ["SERVED_DATABASE"]
MCP = {
    "NAME": "shop",
    "CATALOGUE": "tests.tools_app.inspector.served.catalogue.shelf",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "OBSERVERS": ["tools_app.ledger.Ledger"],
}
