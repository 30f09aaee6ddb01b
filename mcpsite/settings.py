"""The site's settings. Safe unless the environment says otherwise.

DJANGO_DEBUG=1           debug pages; never in production
DJANGO_SECRET_KEY        default: made once and kept in var/secret_key
DJANGO_ALLOWED_HOSTS     comma-separated; default: this machine
MCP_ALLOWED_ORIGINS      comma-separated origins of browser clients, more than our own
                         and those that are allowed in the admin
MCP_STORE                redis://... when there are several processes, for sessions
                         and for the cache; default: memory
POSTGRES_HOST            and _PORT, _DB, _USER, _PASSWORD: a PostgreSQL server;
                         default: SQLite in MCPSITE_VAR_DIR
MCP_METRICS_TOKEN        what Prometheus reads /metrics with; default: nobody may
MCP_TRUSTED_PROXIES      how many proxies each request passes; default: 0
MCPSITE_HTTPS=1          we are reached over HTTPS only: cookies go nowhere else
MCPSITE_VAR_DIR          where the database and the key live; default: var/
MCP_FILES_ROOT           the folder whose files administrators can serve; default: none
MCPSITE_DOCS_ROOT        what holds README.md and docs/; default: this project
PORT                     the port that we are reached at; default: 8000

DJANGO_SECRET_KEY, MCP_STORE, MCP_METRICS_TOKEN and POSTGRES_PASSWORD may lie in a
file: NAME_FILE is then its path.
"""

from __future__ import annotations

import os
from pathlib import Path

from mcpsite import __version__
from mcpsite.environment import (
    cache,
    database,
    listed,
    own_origins,
    port,
    secret,
    secret_key,
)

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("MCPSITE_VAR_DIR", BASE_DIR / "var"))
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
DOCS_ROOT = Path(os.environ.get("MCPSITE_DOCS_ROOT", BASE_DIR))

DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
SECRET_KEY = secret("DJANGO_SECRET_KEY") or secret_key(VAR_DIR / "secret_key")
ALLOWED_HOSTS = listed("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
OWN_ORIGINS = own_origins(ALLOWED_HOSTS, port())

INSTALLED_APPS = [
    "daphne",  # before staticfiles: runserver then serves ASGI
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "mcp_transport",
    "tools_app",
    "mcpsite",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "mcpsite.middleware.StaticFilesMiddleware",
    "mcpsite.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mcpsite.urls"
ASGI_APPLICATION = "mcpsite.asgi.application"
WSGI_APPLICATION = "mcpsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database(VAR_DIR / "db.sqlite3")}
STORE = secret("MCP_STORE") or "memory"
CACHES = {"default": cache(STORE)}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
# Static files are served from where the applications keep them: nothing has to
# be collected first.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 300
WHITENOISE_ALLOW_ALL_ORIGINS = False

_PASSWORD_RULES = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_PASSWORD_RULES}.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("MCPSITE_HTTPS") == "1"
# That a request came over HTTPS is for the proxy to say, if there is one.
TRUSTED_PROXIES = int(os.environ.get("MCP_TRUSTED_PROXIES", "0"))
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
)

MCP = {
    "NAME": "mcp-transport-docs",
    "TITLE": "MCP Transport for Django",
    "VERSION": __version__,
    "INSTRUCTIONS": (
        "The documentation of mcp_transport, a Django app that serves MCP. Start "
        "with search_docs; read what it finds with read_doc or as a resource "
        "(docs://PAGE or docs://PAGE/SECTION). find_features tells which protocol "
        "revision has a method, a field or a kind of content."
    ),
    "STORE": STORE,
    "OBSERVERS": [
        "mcp_transport.monitoring.CallLog",
        "mcp_transport.monitoring.Metrics",
        "tools_app.ledger.Ledger",
    ],
    "METRICS_TOKEN": secret("MCP_METRICS_TOKEN") or None,
    "TRUSTED_PROXIES": TRUSTED_PROXIES,
    "CATALOGUE": "tools_app.catalogue.AdminCatalogue",
    "AUTHENTICATORS": ["tools_app.tokens.TokenAuthenticator"],
    "TICKETS": "tools_app.tickets.SingleUse",
    "ALLOWED_ORIGINS": [*OWN_ORIGINS, *listed("MCP_ALLOWED_ORIGINS")],
    "ORIGINS": "tools_app.origins.AdminOrigins",
    "MIDDLEWARE": ["mcp_transport.cors.CorsMiddleware"],
}

MCP_FILES_ROOT = os.environ.get("MCP_FILES_ROOT")

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "600/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MCP Transport for Django",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "mcpsite.logformat.OneLineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Django's own handlers would write the same line twice, or send mail.
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
