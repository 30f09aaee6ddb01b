"""One way to connect to each door, all of them Transports."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.interaction.wires.linked import LinkedWire
from tests.interaction.wires.plain import PlainWire
from tests.interaction.wires.sse import SSEWire
from tests.interaction.wires.stdio import StdioWire
from tests.interaction.wires.streamable import StreamableWire, UnderDjango
from tests.interaction.wires.websocket import WebSocketWire
from tests.interaction.wires.wire import Place, Wire

WIRES: Mapping[str, Callable[[Place], Wire]] = {
    "in-process": LinkedWire,
    "stdio": StdioWire,
    "websocket": WebSocketWire,
    "lean": StreamableWire,
    "urls": UnderDjango,
    "sse": SSEWire,
    "plain": PlainWire,
}
