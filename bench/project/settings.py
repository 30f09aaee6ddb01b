"""The settings of ``manage.py startproject``, with MCP and a database in a file.

BENCH_DATABASE   the path of the SQLite file
BENCH_STORE      "memory", or the URL of a Redis
BENCH_OBSERVERS  dotted paths, with commas between; "" for none
BENCH_RATES      "" for no rates; else where they are counted: "memory", or a Redis
"""

from __future__ import annotations

import os

SECRET_KEY = "only for measurements on this machine, and long enough for the checks"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.project.urls"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "mcp_transport",
    "tools_app",
    "bench.project",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCH_DATABASE"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MCP = {
    "NAME": "bench",
    "VERSION": "1",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "STORE": os.environ["BENCH_STORE"],
    # Thousands of recorded streams a minute are not to fill Redis.
    "REPLAY_AGE_S": 10,
    # A list of a thousand tools is to be one page.
    "PAGE_SIZE": 1000,
    # All load is that of one caller.
    "MAX_CALLS": 10_000,
    "MAX_STREAMS": 10_000,
}

if os.environ.get("BENCH_OBSERVERS"):
    MCP["OBSERVERS"] = os.environ["BENCH_OBSERVERS"].split(",")

# More than any load here: each request is counted, and none is refused.
RATE = "1000000/s"
RATES = os.environ.get("BENCH_RATES", "")
if RATES:
    MCP |= {f"RATE_PER_{what}": RATE for what in ("ADDRESS", "SESSION", "TOKEN")}
if RATES.startswith("redis"):
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": RATES,
        }
    }
