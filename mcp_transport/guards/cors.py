"""What a browser may send to the endpoint across origins, and read of it.

Constants for the settings of django-cors-headers too: nothing here needs Django.

Spec: 2026-07-28 basic/transports/streamable-http #standard-request-headers,
server/tools #x-mcp-header; Fetch standard, section 3.3 (CORS protocol).
"""

from __future__ import annotations

import re
from typing import Final

ALLOW_METHODS: Final = ("DELETE", "GET", "OPTIONS", "POST")
ALLOW_HEADERS: Final = (
    "accept",
    "authorization",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "x-session-id",
)
EXPOSE_HEADERS: Final = ("mcp-session-id", "retry-after", "www-authenticate")

# A header that repeats an argument of a tool; browsers write it in lower case.
_PARAM_HEADER = re.compile(r"mcp-param-[0-9a-z!#$%&'*+.^_`|~-]+")


def allowed_headers(requested: str) -> list[str]:
    """Return what to answer to Access-Control-Request-Headers.

    Each tool may have argument headers of its own, so these are allowed by their
    prefix, as they are requested. They carry nothing that the body does not.
    """
    names = [name.strip() for name in requested.split(",")]
    return [*ALLOW_HEADERS, *(name for name in names if _PARAM_HEADER.fullmatch(name))]
