"""The URIs under which resources made in the admin are read."""

from __future__ import annotations

import re

from mcp_transport.protocol.uritemplate import MAX_URI_CHARS

# What RFC 3986 lets stand in a URI, without the braces of a template.
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:"
    r"([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
)


def check_uri(text: str) -> str:
    """Return ``text``; raise ValueError unless it is a URI. Spec: RFC 3986."""
    if len(text) > MAX_URI_CHARS or not _URI.fullmatch(text):
        raise ValueError(
            f"{text[:80]!r} is no URI: begin with a scheme, as in docs://hours, and "
            "write spaces and letters beyond ASCII as %20"
        )
    return text
