"""The lean mount, before the whole project."""

from __future__ import annotations

import gc

from bench.project.whole import application as whole
from mcp_transport.asgi import mount

application = mount(whole)

gc.collect()
gc.freeze()
