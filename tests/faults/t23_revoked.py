"""T23: tokens are revoked and rotated by one process while others serve them."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster, cluster
from tests.faults.holder import Holder, status_of_call
from tests.faults.tokens import Tokens
from tests.faults.verdict import require

PROCESSES = 2
REFUSED_WITHIN_S = 5
CLOSED_WITHIN_S = 30
# The place of what is measured above, on a machine with other work.
PATIENCE_S = 120
NO_CREDENTIAL = 4401


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many ``tokens`` are revoked, each used every ``apart_s`` at every process.
    Then one is rotated so many times, ``lasts_s`` apart, under so many callers.
    """

    tokens: int
    apart_s: float
    rotations: int
    lasts_s: float
    callers: int


SMALL = Size(tokens=3, apart_s=0.2, rotations=2, lasts_s=1, callers=6)
FULL = Size(tokens=100, apart_s=1, rotations=10, lasts_s=6, callers=16)


async def run(size: Size, directory: Path) -> str:
    tokens = Tokens(directory)
    await tokens.prepare()
    where = directory / "revoked"
    async with cluster(where, PROCESSES, environ=tokens.environ) as served:
        revoked = await _revoke(served, tokens, size)
        rotated = await _rotate(served, tokens, size)
        require(not served.crashed(), f"crashed: {served.crashed()}")
    return f"{revoked}; {rotated}"


async def _revoke(served: Cluster, tokens: Tokens, size: Size) -> str:
    *texts, spared = await tokens.issue(size.tokens + 1)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        holders = [Holder(one, text) for text in texts for one in served.members]
        others = [Holder(one, spared) for one in served.members]
        for holder in (*holders, *others):
            await holder.open(stack)
        ends = [
            group.create_task(work)
            for holder in holders
            for work in (holder.stay(), holder.use(size.apart_s))
        ]
        lasting = [
            group.create_task(work)
            for other in others
            for work in (other.stay(), other.use(size.apart_s))
        ]
        # Until each is fresh in the memory of every process.
        async with asyncio.timeout(PATIENCE_S):
            while not all(h.accepted_at for h in holders):  # noqa: ASYNC110 - of servers
                await asyncio.sleep(size.apart_s)
        revoked_at = dict(zip(texts, await tokens.revoke(texts), strict=True))
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*ends)
        require(not any(task.done() for task in lasting), "another token was ended")
        for task in lasting:
            task.cancel()
    return _found(holders, revoked_at)


def _found(holders: list[Holder], revoked_at: dict[str, float]) -> str:
    """Return what became of the revoked. Raises Failed."""
    accepted_s = max(h.accepted_at - revoked_at[h.token] for h in holders)
    require(
        accepted_s <= REFUSED_WITHIN_S,
        f"a token was accepted {accepted_s:.1f} s after it was revoked",
    )
    closed_s: dict[str, float] = {}
    for holder in holders:
        for name, at in holder.closed_at.items():
            late_s = at - revoked_at[holder.token]
            require(late_s > 0, f"a {name} was closed before its token was revoked")
            closed_s[name] = max(late_s, closed_s.get(name, 0))
    latest_s = max(closed_s.values())
    require(latest_s <= CLOSED_WITHIN_S, f"closed after seconds: {closed_s}")
    codes = {holder.code for holder in holders}
    require(codes == {NO_CREDENTIAL}, f"sockets were closed with {codes}")
    each = ", ".join(f"{name} {late_s:.1f} s" for name, late_s in closed_s.items())
    return (
        f"{len(revoked_at)} tokens revoked by another process, in use at {PROCESSES}: "
        f"accepted for {accepted_s:.1f} s more at most, {len(holders)} of each closed "
        f"within: {each}; those of another token stayed"
    )


class Callers:
    """Those who use ``secrets``, of one token, in turn. What is no longer among them
    is used until the calls that began with it have ended.
    """

    def __init__(self, served: Cluster, secret: str) -> None:
        self.secrets = [secret]
        self.statuses: Counter[tuple[str, int]] = Counter()
        self._served = served
        self._running: Counter[str] = Counter()

    async def call(self) -> None:
        """Call for ever. Raises Lost."""
        while True:
            for secret in tuple(self.secrets):
                if secret not in self.secrets:
                    continue
                self._running[secret] += 1
                status = await status_of_call(self._served.choose(), secret)
                self._running[secret] -= 1
                self.statuses[secret, status] += 1

    async def let_go(self, secret: str) -> None:
        self.secrets.remove(secret)
        async with asyncio.timeout(PATIENCE_S):
            while self._running[secret]:  # noqa: ASYNC110 - calls of others
                await asyncio.sleep(0.01)

    async def use_both(self, lasts_s: float) -> None:
        """Wait until each secret has served, and so long at least."""
        before = self.statuses.copy()
        await asyncio.sleep(lasts_s)
        async with asyncio.timeout(PATIENCE_S):
            while any(  # noqa: ASYNC110 - calls of others
                self.statuses[s, 200] == before[s, 200] for s in self.secrets
            ):
                await asyncio.sleep(0.01)


async def _rotate(served: Cluster, tokens: Tokens, size: Size) -> str:
    (text,) = await tokens.issue(1)
    callers = Callers(served, text)
    async with asyncio.TaskGroup() as group:
        calling = [group.create_task(callers.call()) for _ in range(size.callers)]
        for _ in range(size.rotations):
            new = await tokens.rotate(text)
            callers.secrets.append(new)
            await callers.use_both(size.lasts_s)
            await callers.let_go(text)
            text = new
        for task in calling:
            task.cancel()
    refused = {status for _, status in callers.statuses} - {200}
    require(not refused, f"calls with a secret that works were answered: {refused}")
    return (
        f"{size.rotations} rotations under {size.callers} callers, old and new secret "
        f"side by side: {callers.statuses.total()} calls, none refused"
    )
