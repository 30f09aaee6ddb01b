"""The small project for the tests, on PostgreSQL."""

from __future__ import annotations

import os

from tests.postgresql.server import PORT, USER
from tests.settings import *  # noqa: F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["TESTS_DATABASE"],
        "PORT": PORT,
        "NAME": "mcp",
        "USER": USER,
    },
}
