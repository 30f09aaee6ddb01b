"""Posts its standard input; prints the decoded body of the reply as it comes.

Arguments: the URL, and the headers as JSON.
"""

from __future__ import annotations

import json
import sys

import httpx

url, headers = sys.argv[1], json.loads(sys.argv[2])
with httpx.stream(
    "POST", url, headers=headers, content=sys.stdin.buffer.read(), timeout=60
) as reply:
    for piece in reply.iter_bytes():
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
