"""What a protected resource tells of itself, so that clients find where to log in.

Spec: 2026-07-28 basic/authorization #authorization-server-location; RFC 9728
sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def metadata(resource: str, authorization_servers: Sequence[str]) -> dict[str, Any]:
    """Return the document that describes ``resource``, the URL of the endpoint."""
    return {
        "resource": resource,
        "authorization_servers": list(authorization_servers),
        "bearer_methods_supported": ["header"],
    }


def metadata_url(resource: str) -> str:
    """Return where the document of ``resource`` is found."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{metadata_path(resource)}"


def metadata_path(resource: str) -> str:
    return f"{WELL_KNOWN}{urlsplit(resource).path.rstrip('/')}"


def is_public_url(url: str) -> bool:
    """Tell whether ``url`` may name a resource or an authorization server: absolute,
    https or on this machine, no fragment and no query. RFC 9728 section 1.2.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    # What does not belong into a URL would end the header that quotes it.
    clean = url.isascii() and url.isprintable() and not set(url) & set('"\\ ?#')
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)
    return clean and bool(host) and secure
