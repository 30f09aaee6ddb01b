"""A client of the revision that has no sessions: a call is its connection."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from deploy.servers import Served
from tests.faults.cluster import Cluster
from tests.faults.connection import Connection, Lost, events
from tests.faults.invariants import ALONE
from tests.faults.requests import Json, Refused, outcome, post, stateless

_ids = itertools.count(1)


async def call(cluster: Cluster, arguments: Mapping[str, Any]) -> str:
    """Call the tool ``work``; note it, and return how it ended, as Session.call."""
    member, journal = cluster.choose(), cluster.journal
    id, pid = f"{ALONE}{next(_ids)}", member.pid
    message, headers = stateless("work", id, {**arguments, "call": id})
    journal.write("sent", attempt=id, call=id, pid=pid)
    try:
        reply = await post(member, message, headers)
        if reply.status != 200:
            reply.abort()
            journal.write("refused", attempt=id, status=reply.status)
            return "refused"
        journal.write("accepted", attempt=id)
        how = outcome(await _response(reply))
    except Lost:
        journal.write("broken", attempt=id, pid=pid)
        return "broken"
    journal.write("answered", attempt=id, how=how)
    return how


async def use(member: Served, tool: str, arguments: Mapping[str, Any]) -> Json:
    """Call a tool; return its result. Raises Lost, and Refused."""
    reply = await post(member, *stateless(tool, f"use.{next(_ids)}", arguments))
    if reply.status != 200:
        reply.abort()
        raise Refused(reply.status)
    result: Json = (await _response(reply))["result"]
    return result


async def _response(reply: Connection) -> Json:
    """Return the response, the last message of the reply. Raises Lost."""
    if reply.headers["content-type"] == "application/json":
        whole: Json = json.loads(await reply.whole())
        return whole
    last: Json = [json.loads(event.data) async for event in events(reply)][-1]
    return last
