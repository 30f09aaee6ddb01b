"""``/health``: whether this process lives, and whether it can serve.

``live`` asks nothing and nobody: a process that does not answer is to be restarted.
``ready`` asks what calls need: a process that says 503 is to be given no clients for
the moment. What is counted is told to who may read the metrics.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mcp_transport.conf import get_conf, get_server
from mcp_transport.connections import closing_old_connections
from mcp_transport.engine.threads import Threads
from mcp_transport.status import counts
from mcp_transport.status.access import may_read
from mcp_transport.transports.open_streams import get_open_streams

logger = logging.getLogger("mcp_transport")

# As long as a proxy that asks has patience, and as many at a time as may hang.
TIMEOUT_S = 2.0
THREADS = 4
# Everybody may ask, and what we ask is not to suffer from it.
KEPT_S = 1.0

OK = "ok"
UNREACHABLE = "unreachable"


def _ask_database() -> object:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()


def _questions() -> Mapping[str, Callable[[], object]]:
    """Return what to ask. Each raises where there is no answer."""
    questions: dict[str, Callable[[], object]] = {"store": counts.sessions}
    if settings.DATABASES.get(DEFAULT_DB_ALIAS):
        questions["database"] = _ask_database
    return questions


class Readiness:
    """Asks on threads of its own, which no tool can hold, and keeps what it heard for
    a moment.
    """

    def __init__(self) -> None:
        self._threads = Threads(THREADS, closing_old_connections)
        self._heard: Mapping[str, Any] = {}
        self._until = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def answers(self) -> Mapping[str, Any]:
        """Return what calls need by its name, with its answer: of the store how many
        sessions there are. None is no answer.
        """
        if time.monotonic() >= self._until:
            loop, asking = asyncio.get_running_loop(), self._asking
            if asking is None or asking.done() or asking.get_loop() is not loop:
                asking = self._asking = loop.create_task(self._hear())
            # Whoever comes meanwhile waits for the same answers, and may go away.
            await asyncio.shield(asking)
        return self._heard

    async def _hear(self) -> None:
        questions = _questions()
        said = await asyncio.gather(
            *(self._ask(name, ask) for name, ask in questions.items())
        )
        self._heard = dict(zip(questions, said, strict=True))
        self._until = time.monotonic() + KEPT_S

    async def _ask(self, name: str, question: Callable[[], object]) -> object | None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._threads(question)
        except Exception as error:
            # Whatever it is, what needs an answer would not have one either.
            logger.warning("not ready: the %s is out of reach: %r", name, error)
            return None


@cache
def get_readiness() -> Readiness:
    return Readiness()


@never_cache
@require_safe
async def live(request: HttpRequest) -> JsonResponse:
    """200: this process answers."""
    return JsonResponse({"status": OK})


@never_cache
@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """200 when this process can serve, 503 when it should be given no clients."""
    return _reply(_report(await get_readiness().answers()))


@never_cache
@require_safe
async def health(request: HttpRequest) -> JsonResponse:
    """``ready``, and for who may read the metrics what is open and running."""
    answers = await get_readiness().answers()
    report = _report(answers)
    if may_read(request):
        report["counts"] = {
            "sessions": answers["store"],
            "streams": len(get_open_streams()),
            "calls": counts.in_flight(),
            "listeners": counts.listeners(),
        }
    return _reply(report)


def _report(answers: Mapping[str, Any]) -> dict[str, Any]:
    if get_server().ends_streams:
        status = "draining"
    else:
        status = "unavailable" if None in answers.values() else OK
    checks = {
        name: UNREACHABLE if answer is None else OK for name, answer in answers.items()
    }
    return {"status": status, "version": get_conf().version, "checks": checks}


def _reply(report: Mapping[str, Any]) -> JsonResponse:
    return JsonResponse(report, status=200 if report["status"] == OK else 503)


for _view in (live, ready, health):
    # django.contrib.auth.middleware.LoginRequiredMiddleware looks for this.
    _view.login_required = False  # type: ignore[attr-defined]
