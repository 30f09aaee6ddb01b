"""The whole project under Django's own ASGI handler and the usual middleware."""

from __future__ import annotations

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.project.settings")

application = get_asgi_application()

# Without this, each full collection would walk all that was loaded so far.
gc.collect()
gc.freeze()
