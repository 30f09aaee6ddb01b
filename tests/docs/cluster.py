"""Several processes that share one Redis, and what happens without it."""

from __future__ import annotations

from tests.docs.messages import called, to_oslo
from tests.docs.recording import Recording
from tests.docs.shop import Shop
from tests.docs.streamable import PATH, complete, in_session, mirrored
from tests.docs.visitor import EVENTS, visiting


async def two_processes(recording: Recording, shop: Shop) -> None:
    message = called(2, "ship", pk=7)
    async with in_session(shop, recording, elicitation={}) as session:
        headers = session.headers
        async with session.visitor.open("POST", PATH, message, headers) as stream:
            await stream.event()
            question = await stream.event()
    recording.note("the connection breaks; from here on the other process is asked")
    back = {**headers, "Accept": EVENTS, "Last-Event-ID": stream.last_event_id}
    async with visiting(shop.other, recording) as visitor:
        await visitor.say("POST", PATH, to_oslo(question), headers)
        await visitor.say("GET", PATH, None, back)


async def without_redis(recording: Recording, shop: Shop) -> None:
    async with in_session(shop, recording) as session:
        visitor, headers = session.visitor, session.headers
        shop.redis.kill()
        try:
            recording.note("Redis is away")
            ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
            await visitor.say("POST", PATH, ping, headers)
            stateless = complete(called(3, "count_orders", status="open"))
            await visitor.say("POST", PATH, stateless, mirrored(stateless))
        finally:
            shop.redis.restart()
        recording.note("Redis is back")
        await visitor.say("POST", PATH, ping, headers)
