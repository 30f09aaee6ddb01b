"""What every authenticator of tokens from elsewhere does: ask, and remember."""

from __future__ import annotations

import hashlib
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable

from django.views.decorators.debug import sensitive_variables

from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.caller import Caller
from mcp_transport.engine.threads import Threads
from tools_app.lookup import Grant
from tools_app.tokens import FRESH_S

MAX_KNOWN = 4096
THREADS = 4


class RememberingAuthenticator(ABC):
    """Asks ``look_up`` on a thread of its own, and keeps what it accepted for five
    seconds, or until the token expires: a token that is withdrawn, and a user who is
    turned out, have an end within that time. One for any number of loops.

    ``clock`` gives monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._threads = Threads(THREADS, closing_old_connections)
        # By a hash: the texts of tokens are not to lie about in memory.
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()
        # Guards the above. A hit only reads, and goes without.
        self._lock = threading.Lock()

    @abstractmethod
    def look_up(self, token: str) -> Grant | None:
        """Return what ``token`` grants, None where it is not accepted. It runs in a
        thread, where it may ask the database and the network.
        """

    @sensitive_variables()
    async def authenticate(self, token: str) -> Caller | None:
        """Return the caller that ``token`` stands for, None where it is refused."""
        key = hashlib.sha256(token.encode()).digest()
        caller, fresh_until_s = self._known.get(key, (None, 0.0))
        asked_at_s = self._clock()
        if caller is not None and asked_at_s < fresh_until_s:
            return caller
        # A closure, because error reports print the arguments of calls.
        grant = await self._threads(lambda: self.look_up(token))
        if grant is None:
            return None
        with self._lock:
            fresh_until_s = asked_at_s + min(FRESH_S, grant.expires_in_s)
            self._known[key] = grant.caller, fresh_until_s
            self._known.move_to_end(key)
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        return grant.caller
