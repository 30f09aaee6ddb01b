"""Who may not come in although the token is good: at each door that HTTP opens."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import override_settings

from deploy.servers import free_port
from mcp_transport import Caller
from mcp_transport.asgi import Application
from mcp_transport.transports.websocket import MCPConsumer
from tests.rawasgi import Answer, ask
from tests.websocket.peer import ACCEPTED, Peer
from tests.wire.conftest import MCP, MOUNTS
from tests.wire.tokens import ALICE

HERE = "tests.transports.test_admission"
HOME, AWAY, FAR = ("192.0.2.1", 1), ("198.51.100.1", 1), ("203.0.113.1", 1)
UNKNOWN = "Bearer unknown"
LET_IN = -1  # in the place of a code that closes a connection

sockets: Any = MCPConsumer.as_asgi()


@pytest.fixture
def conf() -> dict[str, Any]:
    """What ``settings.MCP`` has over the usual; tests override this."""
    return {}


@pytest.fixture(params=MOUNTS)
def application(
    request: pytest.FixtureRequest, conf: dict[str, Any]
) -> Iterator[Application]:
    with override_settings(
        MIDDLEWARE=[], ROOT_URLCONF="tests.wire.urls", MCP=MCP | conf
    ):
        yield MOUNTS[request.param]()


async def over_http(
    application: Application,
    client: tuple[str, int] = HOME,
    authorization: str = f"Bearer {ALICE}",
    **headers: str,
) -> Answer:
    sent = {"authorization": authorization, **_named(headers)}
    return await ask(application, client=client, headers=sent)


async def over_websocket(
    client: tuple[str, int] = HOME,
    authorization: str = f"Bearer {ALICE}",
    **headers: str,
) -> int:
    """Return the code that the connection is closed with, or LET_IN."""
    sent = {"authorization": authorization, **_named(headers)}
    peer = Peer(sockets, client=client, headers=sent)
    assert await peer.opens() == ACCEPTED
    peer.sends("no message")
    event = await peer.event()
    if event["type"] == "websocket.close":
        code: int = event["code"]
        await peer.ended()
        return code
    await peer.goes()
    return LET_IN


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def too_many(answer: Answer, most_s: int = 86_400) -> None:
    """Check the whole form of a refusal for now."""
    assert answer.status == 429
    (retry_after,) = answer.values("retry-after")
    assert 1 <= int(retry_after) <= most_s + 1
    assert answer.values("cache-control") == ["no-store"]
    assert set(answer.json()) == {"jsonrpc", "error"}


def unavailable(answer: Answer) -> None:
    assert (answer.status, answer.values("retry-after")) == (503, ["1"])
    assert set(answer.json()) == {"jsonrpc", "error"}


# Those who fail.

FAILING = {"FAILURES_PER_ADDRESS": "3/d"}


@pytest.mark.parametrize("conf", [FAILING])
async def test_who_fails_too_often_is_barred_at_every_door_and_nobody_else(
    application: Application,
) -> None:
    for _ in range(3):
        assert (await over_http(application, HOME, UNKNOWN)).status == 401
    assert (await over_http(application)).status == 200
    too_many(await over_http(application, HOME, UNKNOWN))
    # From now on not even a good token helps: it could be the one that was guessed.
    too_many(await over_http(application))
    assert await over_websocket() == 4429
    for _ in range(3):
        assert (await over_http(application, AWAY)).status == 200
        assert (await over_http(application, AWAY, UNKNOWN)).status == 401
    assert await over_websocket(AWAY) == LET_IN


@pytest.mark.parametrize("conf", [FAILING])
async def test_failures_by_websocket_count_as_well(application: Application) -> None:
    for _ in range(3):
        assert await over_websocket(HOME, UNKNOWN) == 4401
    assert await over_websocket() == LET_IN
    assert await over_websocket(HOME, UNKNOWN) == 4429
    assert await over_websocket() == 4429
    too_many(await over_http(application))
    assert await over_websocket(AWAY) == LET_IN


@pytest.mark.parametrize("conf", [FAILING])
async def test_of_ipv6_the_network_of_one_subscriber_is_counted(
    application: Application,
) -> None:
    for number in range(3):
        peer = (f"2001:db8:1:2::{number}", 1)
        assert (await over_http(application, peer, UNKNOWN)).status == 401
    too_many(await over_http(application, ("2001:db8:1:2:ffff::9", 1), UNKNOWN))
    too_many(await over_http(application, ("2001:db8:1:2::abcd", 1)))
    assert (await over_http(application, ("2001:db8:1:3::1", 1))).status == 200


@pytest.mark.parametrize("conf", [FAILING])
async def test_who_sends_no_token_does_not_fail(application: Application) -> None:
    for _ in range(6):
        answer = await ask(application, client=HOME, headers={"authorization": None})
        assert answer.status == 401
    assert (await over_http(application)).status == 200


@pytest.mark.parametrize("conf", [{"FAILURES_PER_ADDRESS": ""}])
async def test_it_can_be_switched_off(application: Application) -> None:
    for _ in range(70):
        assert (await over_http(application, HOME, UNKNOWN)).status == 401


# Those who ask too often.


@pytest.mark.parametrize("conf", [{"RATE_PER_ADDRESS": "2/d"}])
async def test_an_address_may_ask_so_often_whoever_it_is(
    application: Application,
) -> None:
    assert (await over_http(application)).status == 200
    assert await over_websocket() == LET_IN
    too_many(await over_http(application))
    too_many(await over_http(application, HOME, UNKNOWN))
    assert await over_websocket() == 4429
    assert (await over_http(application, AWAY)).status == 200


# Where a token may be used.

NETWORKS = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))


class AtHome:
    async def authenticate(self, token: str) -> Caller | None:
        scopes = frozenset({"*"})
        return Caller("ada", scopes, token_id="t1", networks=NETWORKS)


@pytest.mark.parametrize("conf", [{"AUTHENTICATORS": [f"{HERE}.AtHome"]}])
async def test_a_token_is_good_in_its_networks_alone(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    for inside in (HOME, ("::ffff:192.0.2.9", 1), ("2001:db8::1", 1)):
        assert (await over_http(application, inside)).status == 200
        assert await over_websocket(inside) == LET_IN
    for outside in (AWAY, ("192.0.3.1", 1), ("::ffff:198.51.100.1", 1)):
        caplog.clear()
        answer = await over_http(application, outside)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.values("www-authenticate")[0]
        assert await over_websocket(outside) == 4401
        ours = [r for r in caplog.records if r.name == "mcp_transport"]
        said = f"token t1 was used from {outside[0]}, which is in none of its networks"
        assert [r.getMessage() for r in ours] == [said] * 2
        assert ALICE not in caplog.text
    # What it claims of its way is nobody's business here.
    answer = await over_http(application, AWAY, x_forwarded_for="192.0.2.1")
    assert answer.status == 401


# Behind proxies.


@pytest.mark.parametrize("conf", [FAILING | {"TRUSTED_PROXIES": 1}])
async def test_behind_a_proxy_the_client_is_who_the_proxy_says(
    application: Application,
) -> None:
    async def status(forwarded: str, token: str = UNKNOWN) -> int:
        answer = await over_http(application, HOME, token, x_forwarded_for=forwarded)
        return answer.status

    good = f"Bearer {ALICE}"
    # Whatever somebody writes to the left, the proxy's own entry is the last.
    for forged in ("198.51.100.7, ", "127.0.0.1, ", "x, "):
        assert await status(f"{forged}203.0.113.1") == 401
    assert await status("203.0.113.1") == 429
    assert await status("198.51.100.7, 203.0.113.1", good) == 429
    assert await over_websocket(x_forwarded_for="203.0.113.1") == 4429
    assert await status("203.0.113.1, 203.0.113.2", good) == 200
    assert await over_websocket(x_forwarded_for="203.0.113.2") == LET_IN
    # Who came past the proxy is its own address.
    assert (await over_http(application)).status == 200


@pytest.mark.parametrize(
    "conf", [{"AUTHENTICATORS": [f"{HERE}.AtHome"], "TRUSTED_PROXIES": 2}]
)
async def test_of_two_proxies_the_first_one_saw_the_client(
    application: Application,
) -> None:
    for forwarded, status in (
        ("192.0.2.7, 10.0.0.1", 200),
        ("198.51.100.1, 192.0.2.7, 10.0.0.1", 200),
        ("192.0.2.7, 198.51.100.1, 10.0.0.1", 401),
        ("192.0.2.7", 401),
        ("192.0.2.7, garbage, 10.0.0.1", 401),
    ):
        answer = await over_http(application, FAR, x_forwarded_for=forwarded)
        assert answer.status == status, forwarded
        code = await over_websocket(FAR, x_forwarded_for=forwarded)
        assert code == (LET_IN if status == 200 else 4401), forwarded


@pytest.mark.parametrize("conf", [{"ALLOW_ANONYMOUS": True, "TRUSTED_PROXIES": 1}])
async def test_a_proxy_on_this_machine_makes_nobody_local(
    application: Application,
) -> None:
    near = ("127.0.0.1", 1)
    for forwarded, status in ((None, 200), ("127.0.0.1", 200), ("203.0.113.1", 401)):
        headers: dict[str, str | None] = {
            "authorization": None,
            "x-forwarded-for": forwarded,
        }
        answer = await ask(application, client=near, headers=headers)
        assert answer.status == status


# Without the cache.


@pytest.fixture
def no_cache() -> Iterator[None]:
    """A cache that nobody answers for."""
    away = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"redis://127.0.0.1:{free_port()}/0",
    }
    with override_settings(CACHES={"default": away}):
        yield


@pytest.mark.usefixtures("no_cache")
async def test_a_failure_that_cannot_be_counted_tells_nothing_of_the_token(
    application: Application,
) -> None:
    unavailable(await over_http(application, HOME, UNKNOWN))
    assert await over_websocket(HOME, UNKNOWN) == 4503
    # A good one has nothing to be counted.
    assert (await over_http(application)).status == 200
    assert await over_websocket() == LET_IN


@pytest.mark.parametrize("conf", [{"RATE_PER_ADDRESS": "1000/d"}])
@pytest.mark.usefixtures("no_cache")
async def test_nobody_is_let_in_uncounted(application: Application) -> None:
    for _ in range(2):
        unavailable(await over_http(application))
        assert await over_websocket() == 4503


@pytest.mark.parametrize("conf", [{"RATE_PER_TOKEN": "1000/d"}])
@pytest.mark.usefixtures("no_cache")
async def test_nobody_is_served_uncounted(application: Application) -> None:
    answer = await over_http(application)
    assert (answer.status, answer.values("retry-after")) == (503, ["1"])
    assert answer.json()["error"] == {
        "code": 503,
        "message": "this cannot be served at the moment",
        "data": {"retryAfter": 1},
    }
