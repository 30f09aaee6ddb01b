"""The project, with the faults that its environment asks for; see settings.py."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from mcp_transport.asgi import mount
from mcp_transport.conf import get_store
from mcp_transport.stores.redis import RedisStore, hints, pulse
from tests.faults.served.failpoints import dying_after_scripts, dying_after_send
from tests.faults.served.hints import LosingLayer

application = dying_after_send(mount(get_asgi_application()))

if os.environ.get("FAULTS_HINTS") == "dropped":
    hints.channel_layer = LosingLayer
if "FAULTS_SILENT_S" in os.environ:
    pulse.SILENT_MS = int(1000 * float(os.environ["FAULTS_SILENT_S"]))

store = get_store()
assert isinstance(store, RedisStore)
store.commands.run = dying_after_scripts(store.commands.run)  # type: ignore[assignment,method-assign]
