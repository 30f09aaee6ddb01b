"""Reads the settings that come from the environment or from ``var/``."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


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
