"""Reads the settings that come from the environment or from ``var/``."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mcp_transport.stores import MEMORY


def listed(name: str, default: str = "") -> list[str]:
    """Return a variable of comma-separated values as a list without blanks."""
    return [
        part.strip()
        for part in os.environ.get(name, default).split(",")
        if part.strip()
    ]


def port() -> str:
    """Return the port that the site is reached at."""
    return os.environ.get("PORT", "8000")


def own_origins(hosts: Iterable[str], port: str) -> list[str]:
    """Return the origins of pages that this server itself serves.

    A host that is a pattern (``*``, ``.example.com``) names no origin.
    """
    return [
        f"{scheme}://{host}{suffix}"
        for host in hosts
        if not host.startswith(("*", "."))
        for scheme, suffix in (("http", f":{port}"), ("https", ""))
    ]


def secret(name: str) -> str:
    """Return a variable, or what is in the file that ``<name>_FILE`` names.

    That is how Docker and systemd hand over what is not for everybody's eyes; it
    is "" where there is neither. Raises ImproperlyConfigured where there are both.
    """
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, "")
    if os.environ.get(name):
        raise ImproperlyConfigured(f"set {name} or {name}_FILE, not both")
    return Path(path).read_text(encoding="utf-8").strip()


def database(sqlite: Path | str) -> dict[str, Any]:
    """Return the PostgreSQL that the environment names, or else the file."""
    host = os.environ.get("POSTGRES_HOST")
    return _postgresql(host) if host else _sqlite(sqlite)


def _postgresql(host: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host,
        "PORT": os.environ.get("POSTGRES_PORT", "5432"),
        "NAME": os.environ.get("POSTGRES_DB", "mcp"),
        "USER": os.environ.get("POSTGRES_USER", "mcp"),
        "PASSWORD": secret("POSTGRES_PASSWORD"),
        # Threads come and go; the connections of a process stay, and are not more
        # than so many. PostgreSQL takes 100 from all processes together.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 10}},
    }


def _sqlite(path: Path | str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Readers do not wait for a writer, and writers queue instead of failing.
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
        },
    }


def cache(store: str) -> dict[str, Any]:
    """Return the cache that belongs to ``MCP["STORE"]``: in the same Redis, shared by
    all processes, or in the memory of the only one.
    """
    if store == MEMORY:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from mcp_transport.stores.redis.connection import TIMEOUT_S, Place

    place = Place.of(store)
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": place.url,
        "KEY_PREFIX": f"{place.prefix}:cache",
        # Once more, for a connection that broke while nobody used it.
        "OPTIONS": {"socket_timeout": TIMEOUT_S, "retry": Retry(NoBackoff(), 1)},
    }


def secret_key(path: Path) -> str:
    """Return the key kept in ``path``, made on first use, readable by us alone.

    Two processes that start at once get the same key: the file appears whole,
    by a link, and only the first link is made.
    """
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with open(
            fresh,
            "x",
            encoding="ascii",
            opener=lambda name, flags: os.open(name, flags, 0o600),
        ) as file:
            file.write(secrets.token_urlsafe(64))
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()
