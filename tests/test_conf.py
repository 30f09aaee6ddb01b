from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from mcp_transport import Shelf
from mcp_transport.conf import (
    HUGE,
    TRANSPORTS,
    Conf,
    ListChanged,
    ResourceUpdated,
    announce,
    get_attempts,
    get_authenticators,
    get_conf,
    get_origins,
    get_rates,
    get_server,
    get_store,
    read,
)
from mcp_transport.endpoint import get_views
from mcp_transport.engine.changes import Change
from mcp_transport.engine.limits import Limits
from mcp_transport.engine.rates import Rate
from mcp_transport.engine.session import Session
from mcp_transport.engine.store import Store
from mcp_transport.stores.memory import MemoryStore
from mcp_transport.stores.redis import RedisStore
from mcp_transport.stores.redis.connection import Place

BOUND_S = 30
TOKENS = "tests.wire.tokens.KnownTokens"
LIMITS = {limit.name.upper(): limit.type for limit in fields(Limits)}
NEVER = [0, -1, 10**400, math.nan, True, b"bytes", object(), ("a.b",)]
STRINGS = [*NEVER, [], {}]
LISTS = [*NEVER, None, "a.b", {}, [None], [0], [["a.b"]]]
NUMBERS = [None, -1, 10**400, math.nan, math.inf, -math.inf, True, False, "1", [1]]

RATES = [
    *STRINGS,
    None,
    math.inf,
    "0",
    "60",
    "/m",
    "0/m",
    "-1/m",
    "nan/m",
    "inf/m",
    "60/w",
    "60/0m",
    " 60/m",
    "1.5/s",
    f"{10**10}/s",
]

# For each key what it must not be.
WRONG: dict[str, list[Any]] = {
    "NAME": [*STRINGS, None, ""],
    "VERSION": [*STRINGS, None, ""],
    "CATALOGUE": [*STRINGS, None, ""],
    "AUTHORIZATION_SERVERS": [*LISTS, ["here"], ["http://example.com"], [""]],
    "RESOURCE_URL": [*STRINGS, None, "/mcp", "https://example.com/mcp?a", "https://"],
    "TITLE": STRINGS,
    "DESCRIPTION": STRINGS,
    "WEBSITE_URL": STRINGS,
    "INSTRUCTIONS": STRINGS,
    "TOKEN_PEPPER": STRINGS,
    "ICONS": [*LISTS, ["icon.png"]],
    "TOKEN_PEPPER_FALLBACKS": LISTS,
    "AUTHENTICATORS": LISTS,
    "ORIGINS": STRINGS,
    "ALLOWED_ORIGINS": LISTS,
    "MIDDLEWARE": LISTS,
    "HOOKS": LISTS,
    "OBSERVERS": LISTS,
    "METRICS_TOKEN": [
        *STRINGS,
        "",
        "x" * 31,
        "x" * 31 + " ",
        "x" * 32 + "\n",
        "é" * 32,
    ],
    "DEBUG_WIRE": [None, 0, 1, -1, math.nan, "True", "", [], {}],
    "STORE": [
        *STRINGS,
        None,
        "",
        "Memory",
        "redis",
        "redis:",
        "there:6379",
        "mysql://there/0",
        "http://there",
        "redis://[::1",
        "redis://there:port",
    ],
    "TICKETS": [*STRINGS, None],
    "TRANSPORTS": [*LISTS, [""], ["stdio"], ["sse", "SSE"], ["sse", ["plain"]]],
    "ALLOW_ANONYMOUS": [None, 0, 1, -1, math.nan, "True", "", [], {}],
    "THREADS": [*NUMBERS, 0, 1001, 1.0],
    "LIST_TTL_MS": [*NUMBERS, 86_400_001, 0.5],
    "TRUSTED_PROXIES": [*NUMBERS, 11, 1.0],
    "RATE_PER_TOKEN": RATES,
    "RATE_PER_SESSION": RATES,
    "RATE_PER_ADDRESS": RATES,
    "FAILURES_PER_ADDRESS": RATES,
    **{
        key: [*NUMBERS, 0, HUGE + 1, *([1.5, 1.0] if kind == "int" else [])]
        for key, kind in LIMITS.items()
    },
}


def test_every_key_is_held_to_something() -> None:
    keys = {key.name.upper() for key in fields(Conf)} - {"LIMITS"}
    assert {*keys, *LIMITS} == set(WRONG)


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, values in WRONG.items() for value in values],
)
def test_what_a_key_cannot_be_is_named_and_left_out(key: str, value: Any) -> None:
    conf, problems = read({key: value})
    (problem,) = problems
    assert problem.startswith(f'MCP["{key}"] must ')
    assert conf == Conf()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("PAGE_SIZE", 1.5, 'MCP["PAGE_SIZE"] must be a whole number'),
        ("KEEP_ALIVE_S", "1", 'MCP["KEEP_ALIVE_S"] must be a number'),
        ("PAGE_SIZE", 0, 'MCP["PAGE_SIZE"] must be over 0 and at most 10000000000'),
        ("THREADS", 0, 'MCP["THREADS"] must be from 1 to 1000'),
        ("THREADS", "8", 'MCP["THREADS"] must be a number of threads'),
        (
            "RATE_PER_TOKEN",
            "0/m",
            "MCP[\"RATE_PER_TOKEN\"] must be a rate: '0/m' is no rate: write how often "
            "in which time, such as 60/m or 100/5m, with s, m, h or d",
        ),
        ("HOOKS", "a.b", 'MCP["HOOKS"] must be a list of dotted paths'),
        ("ALLOW_ANONYMOUS", 1, 'MCP["ALLOW_ANONYMOUS"] must be True or False'),
        ("NAME", "", 'MCP["NAME"] must not be empty'),
        (
            "METRICS_TOKEN",
            "guessed",
            'MCP["METRICS_TOKEN"] must be a string of 32 or more of the characters '
            "A-Z a-z 0-9 - . _ ~ + /",
        ),
        (
            "TRANSPORTS",
            ["tcp"],
            'MCP["TRANSPORTS"] must be a list of streamable-http, sse, plain, '
            "websocket",
        ),
        (
            "STORE",
            "mysql://there",
            'MCP["STORE"] must be "memory" or a URL such as redis://localhost:6379/0, '
            "of one of the schemes redis, rediss, unix",
        ),
    ],
)
def test_a_problem_says_what_the_key_must_be(key: str, value: Any, said: str) -> None:
    assert read({key: value})[1] == [said]


@pytest.mark.parametrize(
    ("key", "meant"), [("NAMES", "NAME"), ("name", "NAME"), ("Pagesize", "PAGE_SIZE")]
)
def test_an_unknown_key_is_named_with_the_one_that_was_meant(
    key: str, meant: str
) -> None:
    said = f'MCP["{key}"] is unknown; did you mean "{meant}"?'
    assert read({key: "x"}) == (Conf(), [said])


@pytest.mark.parametrize("key", ["LIMITS", "limits", "", 1, None])
def test_an_unknown_key_is_named_with_those_that_there_are(key: Any) -> None:
    conf, problems = read({key: "x"})
    (problem,) = problems
    assert problem.startswith(f'MCP["{key}"] is unknown; there are ALLOW_ANONYMOUS, ')
    assert all(known in problem for known in WRONG)
    assert conf == Conf()


@pytest.mark.parametrize("given", [None, [], "", 0, [("NAME", "x")]])
def test_settings_that_are_no_dictionary_are_refused(given: Any) -> None:
    assert read(given) == (Conf(), ["MCP must be a dictionary"])


def test_the_edges_of_what_is_allowed() -> None:
    for key, kind in LIMITS.items():
        for value in (1, HUGE, *([0.001] if kind == "float" else [])):
            conf, problems = read({key: value})
            assert (getattr(conf.limits, key.lower()), problems) == (value, [])
    for key, edge in [
        ("THREADS", 1),
        ("THREADS", 1000),
        ("LIST_TTL_MS", 0),
        ("LIST_TTL_MS", 86_400_000),
        ("TRUSTED_PROXIES", 0),
        ("TRUSTED_PROXIES", 10),
        ("TITLE", None),
        ("STORE", "memory"),
        ("STORE", "redis://localhost"),
        ("STORE", "rediss://me:word@redis.example:6380/1?prefix=shop"),
        ("STORE", "unix:///run/redis.sock?db=1"),
        ("TRANSPORTS", []),
        ("TRANSPORTS", ["sse"]),
        ("TRANSPORTS", list(TRANSPORTS)),
    ]:
        conf, problems = read({key: edge})
        assert (getattr(conf, key.lower()), problems) == (edge, [])


@pytest.mark.parametrize(
    "key",
    ["RATE_PER_TOKEN", "RATE_PER_SESSION", "RATE_PER_ADDRESS", "FAILURES_PER_ADDRESS"],
)
def test_a_rate_is_read_and_nothing_written_is_no_rate(key: str) -> None:
    for text, rate in [("600/m", Rate(600, 60)), ("1/2h", Rate(1, 7200)), ("", None)]:
        conf, problems = read({key: text})
        assert (getattr(conf, key.lower()), problems) == (rate, [])


def test_failures_are_bounded_without_being_told() -> None:
    conf = Conf()
    assert conf.failures_per_address == Rate(60, 60)
    assert (conf.rate_per_token, conf.rate_per_session) == (None, None)
    assert conf.rate_per_address is None


def test_what_is_right_is_taken_beside_what_is_wrong() -> None:
    conf, problems = read({"NAME": "shop", "PAGE_SIZE": 7, "THREADS": 0, "WHAT": 1})
    assert (conf.name, conf.limits.page_size, conf.threads) == ("shop", 7, 8)
    assert len(problems) == 2


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {"NAME": 0, "HOOKS": None, "CALL_TIMEOUT_S": 0}
    with (
        override_settings(MCP=wrong),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        get_conf()
    assert str(caught.value) == (
        'MCP["NAME"] must be a string; MCP["HOOKS"] must be a list of dotted paths; '
        'MCP["CALL_TIMEOUT_S"] must be over 0 and at most 10000000000'
    )


def test_info_holds_what_was_said() -> None:
    icon = {"src": "https://example.com/icon.png"}
    conf, _ = read({"NAME": "shop", "WEBSITE_URL": "https://x", "ICONS": [icon]})
    assert conf.info == {
        "name": "shop",
        "version": "1",
        "websiteUrl": "https://x",
        "icons": [icon],
    }


class SomeOrigins:
    async def current(self) -> list[str]:
        return ["https://a.example"]


MADE: list[Callable[[], object]] = [
    get_conf,
    get_attempts,
    get_authenticators,
    get_origins,
    get_store,
    get_server,
    get_views,
]


@pytest.mark.parametrize("made", MADE)
def test_what_was_made_of_the_settings_is_made_anew_when_they_change(
    made: Callable[[], object],
) -> None:
    given = {"AUTHENTICATORS": [TOKENS], "ORIGINS": "tests.test_conf.SomeOrigins"}
    with override_settings(MCP={**given, "NAME": "first"}):
        first = made()
        assert made() is first
        with override_settings(USE_TZ=False, ROOT_URLCONF="tests.wire.urls"):
            assert made() is first
        with override_settings(MCP={**given, "NAME": "second"}):
            assert made() is not first
        assert made() is not first


@pytest.mark.parametrize("made", [get_rates, get_attempts, get_server])
@pytest.mark.parametrize(
    "changed", [{"RATELIMIT_ENABLE": False}, {"RATELIMIT_CACHE_PREFIX": "shop:"}]
)
def test_who_counts_is_made_anew_when_django_ratelimits_settings_change(
    made: Callable[[], object], changed: dict[str, Any]
) -> None:
    first = made()
    with override_settings(**changed):
        assert made() is not first


@pytest.mark.parametrize("made", [get_store, get_server, get_views])
@pytest.mark.parametrize("key", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
def test_what_signs_is_made_anew_when_a_key_changes(
    made: Callable[[], object], key: str
) -> None:
    first = made()
    with override_settings(**{key: ["k" * 50] if "FALLBACKS" in key else "k" * 50}):
        assert made() is not first


def test_a_key_that_was_replaced_still_verifies_as_a_fallback() -> None:
    with override_settings(SECRET_KEY="o" * 50):
        token = get_server().signer.sign("test", b"payload")
    with override_settings(SECRET_KEY="n" * 50):
        assert get_server().signer.verify("test", token) is None
    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=["o" * 50]):
        assert get_server().signer.verify("test", token) == b"payload"


def test_the_settings_reach_the_server() -> None:
    shelf = "tests.test_conf.SHELF"
    with override_settings(MCP={"NAME": "shop", "CATALOGUE": shelf, "MAX_ROUNDS": 3}):
        server = get_server()
    assert server.catalogue is SHELF
    assert server.limits == Limits(max_rounds=3)
    assert server.info == {"name": "shop", "version": "1"}


def test_the_settings_reach_the_store() -> None:
    with override_settings(MCP={"MAX_SESSIONS": 3}):
        memory = get_store()
        assert isinstance(memory, MemoryStore)
        assert get_server().signals is memory.signals
        assert asyncio.run(how_many_fit(memory)) == 3
    with override_settings(MCP={"STORE": "redis://localhost:1/?prefix=shop"}):
        redis = get_store()  # Nothing is connected yet.
        assert isinstance(redis, RedisStore)
        assert redis.place == Place("redis://localhost:1/", "shop")
        assert get_server().signals is redis.signals


async def how_many_fit(store: Store) -> int:
    """Return how many of ten sessions of one caller are kept."""
    sessions = [Session(str(number), "mine") for number in range(10)]
    for session in sessions:
        await store.sessions.add(session)
    found = [await store.sessions.get(session.id, "mine") for session in sessions]
    return len([session for session in found if session is not None])


async def test_a_change_announced_on_another_thread_is_heard_on_the_loop() -> None:
    with override_settings(MCP={"AUTHENTICATORS": [TOKENS]}):
        heard: asyncio.Queue[tuple[Change, int]] = asyncio.Queue()
        stop = get_server().changes.subscribe(
            lambda change: heard.put_nowait((change, threading.get_ident()))
        )
        said: list[Change] = [ResourceUpdated("order://1"), ListChanged("prompts")]

        def elsewhere() -> None:
            for change in said:
                announce(change)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        async with asyncio.timeout(BOUND_S):
            found = [await heard.get() for _ in said]
        thread.join(BOUND_S)
        stop()
    here = threading.get_ident()
    assert found == [(change, here) for change in said]


SHELF = Shelf()
