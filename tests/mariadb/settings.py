"""The small project for the tests, on MariaDB."""

from __future__ import annotations

import os

import pymysql

from tests.mariadb.server import USER
from tests.settings import *  # noqa: F403

# Django asks for mysqlclient, which has to be compiled.
pymysql.install_as_MySQLdb()

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "mcp",
        "USER": USER,
        "OPTIONS": {
            "unix_socket": os.path.join(os.environ["TESTS_DATABASE"], "socket"),
            "charset": "utf8mb4",
        },
    },
}
