"""Ends with 0 when the process of this container can serve."""

from __future__ import annotations

import os
import urllib.request

URL = "http://127.0.0.1:8000/health"


def check(url: str = URL) -> None:
    """Raises OSError unless the reply is 200."""
    # By the name that clients use: it need not serve any other.
    host = os.environ["DJANGO_ALLOWED_HOSTS"].split(",")[0]
    request = urllib.request.Request(url, headers={"Host": host})
    urllib.request.urlopen(request, timeout=4).close()


if __name__ == "__main__":
    check()
