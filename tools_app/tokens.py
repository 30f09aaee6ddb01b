"""The authenticator for the tokens that administrators issue.

Named in the settings: ``MCP["AUTHENTICATORS"] =
["tools_app.tokens.TokenAuthenticator"]``.

What was decided about a token is kept for at most five seconds, so that a
revocation made anywhere acts within that time; one made in this process acts
when its transaction commits. So do a rotation, and a change of the owner or of
what the owner may do. A change that sends no signal, such as
``QuerySet.update``, is also seen within five seconds.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hmac import compare_digest
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.views.decorators.debug import sensitive_variables

from mcp_transport.engine.caller import Caller
from tools_app import credential
from tools_app.lookup import Grant, look_up, look_up_digests
from tools_app.models import Token

FRESH_S = 5.0
MAX_ACCEPTED = 4096
MAX_REFUSED = 1024
MAX_LOOKUPS = 256
LOOKUP_THREADS = 4


Find = Callable[[], Grant | None]


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A secret that was accepted, and whom it stands for."""

    digest: bytes
    caller: Caller | None
    fresh_until_s: float


# In place of a secret that is not known: no text has its digest. A token may
# have two secrets, so two are compared, however many are known.
_NOBODY = _Accepted(bytes(32), None, 0.0)
_UNKNOWN = (_NOBODY, _NOBODY)


class TokenAuthenticator:
    """Turns the text of a token into its caller; one for any number of loops.

    ``clock`` gives monotonic seconds. The peppers are read once, here.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._peppers = credential.peppers()
        self._accepted: OrderedDict[str, tuple[_Accepted, _Accepted]] = OrderedDict()
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self._lookups: dict[bytes, Future[Caller | None]] = {}
        self._changes = 0
        # Guards the four above. A hit only reads, and goes without.
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(
            LOOKUP_THREADS, thread_name_prefix="mcp-token"
        )
        for signal in (post_save, post_delete):
            signal.connect(self._token_changed, sender=Token)
            signal.connect(self._user_changed, sender=get_user_model())
        for table in _tables_of_rights():
            m2m_changed.connect(self._rights_changed, sender=table)

    @sensitive_variables()
    async def authenticate(self, token: str) -> Caller | None:
        """Return the caller that ``token`` stands for, None where it is refused.

        Does not suspend while the token is fresh in memory.

        Raises:
            DatabaseError: the token could not be read.
        """
        public_id = credential.public_id_of(token)
        if public_id is None:
            return None
        digest = credential.digest(self._peppers[0], token)
        known = self._known(public_id, digest)
        # A closure, because error reports print the arguments of calls.
        return known or await self._ask(
            public_id, digest, lambda: look_up(public_id, token, self._peppers)
        )

    def digest_of(self, token: str) -> tuple[str, bytes] | None:
        """Return what stands for a token of ours where its text must not be kept:
        its public id and its digest; None for any other text.
        """
        public_id = credential.public_id_of(token)
        if public_id is None:
            return None
        return public_id, credential.digest(self._peppers[0], token)

    async def authenticate_digest(self, public_id: str, digest: bytes) -> Caller | None:
        """Do as ``authenticate`` does with the token that ``digest_of`` was given.

        Raises:
            DatabaseError: the token could not be read.
        """
        known = self._known(public_id, digest)
        return known or await self._ask(
            public_id, digest, lambda: look_up_digests(public_id, [digest])
        )

    def _known(self, public_id: str, digest: bytes) -> Caller | None:
        for known in self._accepted.get(public_id, _UNKNOWN):
            if (
                compare_digest(known.digest, digest)
                and self._clock() < known.fresh_until_s
            ):
                return known.caller
        return None

    async def _ask(self, public_id: str, digest: bytes, find: Find) -> Caller | None:
        """Ask the database, together with all who ask the same.

        A wrong secret comes here however fresh its public id is in memory, so
        that neither its time tells whether the id exists nor its refusal falls
        on the owner.
        """
        while True:
            with self._lock:
                if self._clock() < self._refused.get(digest, 0.0):
                    return None
                lookup = self._lookups.get(digest)
                if lookup is None and len(self._lookups) < MAX_LOOKUPS:
                    lookup = self._start(public_id, digest, find)
                ahead = lookup or next(iter(self._lookups.values()))
            if lookup is not None:
                return await asyncio.wrap_future(lookup)
            # Waiting costs the requests that wait, and ends with them.
            await asyncio.gather(asyncio.wrap_future(ahead), return_exceptions=True)

    def _start(
        self, public_id: str, digest: bytes, find: Find
    ) -> Future[Caller | None]:
        changes = self._changes
        lookup: Future[Caller | None] = Future()
        # One of those who wait may be cancelled; what it waits for must not be.
        lookup.set_running_or_notify_cancel()
        self._threads.submit(
            lambda: self._run(lookup, changes, public_id, digest, find)
        )
        self._lookups[digest] = lookup  # only now: nobody is to wait for no thread
        return lookup

    def _run(
        self,
        lookup: Future[Caller | None],
        changes: int,
        public_id: str,
        digest: bytes,
        find: Find,
    ) -> None:
        """Answer ``lookup`` from a worker thread."""
        asked_at_s = self._clock()
        try:
            grant = find()
        except BaseException as error:
            self._forget_lookup(lookup, digest)
            lookup.set_exception(error)
            return
        with self._lock:
            # What was read before a change is good for those who asked before it.
            if changes == self._changes:
                self._remember(public_id, digest, grant, asked_at_s)
        self._forget_lookup(lookup, digest)
        lookup.set_result(grant.caller if grant else None)

    def _forget_lookup(self, lookup: Future[Caller | None], digest: bytes) -> None:
        with self._lock:
            if self._lookups.get(digest) is lookup:
                del self._lookups[digest]

    def _remember(
        self, public_id: str, digest: bytes, grant: Grant | None, asked_at_s: float
    ) -> None:
        if grant is None:
            _put(self._refused, digest, asked_at_s + FRESH_S, MAX_REFUSED)
            return
        fresh_until_s = asked_at_s + min(FRESH_S, grant.expires_in_s)
        accepted = _Accepted(digest, grant.caller, fresh_until_s)
        known = self._accepted.get(public_id, _UNKNOWN)
        other = next(other for other in known if other.digest != digest)
        _put(self._accepted, public_id, (accepted, other), MAX_ACCEPTED)

    def _token_changed(self, instance: Token, using: str, **_: object) -> None:
        changed = instance.public_id
        self._forget_after(using, lambda caller: caller.token_id == changed)

    def _user_changed(self, instance: Any, using: str, **_: object) -> None:
        changed = instance.pk
        self._forget_after(using, lambda caller: caller.user.pk == changed)

    def _rights_changed(self, using: str, **_: object) -> None:
        # Of a group with any number of members, perhaps.
        self._forget_after(using, lambda caller: True)

    def _forget_after(self, using: str, concerns: Callable[[Caller], bool]) -> None:
        """Forget once the change is committed."""
        transaction.on_commit(partial(self._forget, concerns), using=using)

    def _forget(self, concerns: Callable[[Caller], bool]) -> None:
        """Forget the callers that a change concerns, and all refusals."""
        with self._lock:
            self._changes += 1
            self._lookups.clear()
            self._refused.clear()
            for public_id, known in list(self._accepted.items()):
                if any(one.caller and concerns(one.caller) for one in known):
                    del self._accepted[public_id]


def _tables_of_rights() -> set[type[Model] | None]:
    """Return the tables between users, their groups, and what either may do."""
    fields = get_user_model()._meta.many_to_many
    of_groups = [f for own in fields for f in own.related_model._meta.many_to_many]
    return {field.remote_field.through for field in (*fields, *of_groups)}


def _put(
    entries: OrderedDict[Any, Any], key: object, value: object, limit: int
) -> None:
    """Set the newest entry, and drop the oldest beyond ``limit``."""
    entries[key] = value
    entries.move_to_end(key)
    if len(entries) > limit:
        entries.popitem(last=False)
