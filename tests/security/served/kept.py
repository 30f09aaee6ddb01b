"""What this process keeps in its memory."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

from django.http import HttpRequest, JsonResponse

from mcp_transport.engine.session import Session
from mcp_transport.stores.memory_events import _Stream

PAGE_BYTES = 4096


def kept(request: HttpRequest) -> JsonResponse:
    """Count the sessions and the streams that there are, and the bytes in use."""
    gc.collect()
    kinds = Counter(type(one) for one in gc.get_objects())
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    return JsonResponse(
        {
            "sessions": sum(
                n for kind, n in kinds.items() if issubclass(kind, Session)
            ),
            "streams": kinds[_Stream],
            "bytes": resident * PAGE_BYTES,
        }
    )
