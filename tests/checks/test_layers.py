from __future__ import annotations

from typing import Any

import pytest
from channels_redis.core import RedisChannelLayer
from django.test import override_settings

from mcp_transport.checks import layers
from mcp_transport.checks.layers import BLOCKS_S, IN_MEMORY, ON_REDIS, check_layers

PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
ADDRESS = {"address": "redis://there:6379"}


def ids(backend: str, debug: bool = False, **config: Any) -> list[str]:
    layer = {"BACKEND": backend, "CONFIG": config} if config else {"BACKEND": backend}
    with override_settings(CHANNEL_LAYERS={"default": layer}, DEBUG=debug):
        messages = check_layers()
    assert all(message.hint for message in messages)
    return [str(message.id).removeprefix("mcp_transport.") for message in messages]


def test_without_layers_nothing_is_said() -> None:
    assert check_layers() == []


def test_a_layer_in_memory_is_for_debugging() -> None:
    assert ids(IN_MEMORY) == ["E011"]
    assert ids(IN_MEMORY, debug=True) == []


def test_a_layer_that_only_publishes_waits_for_nothing() -> None:
    assert ids(PUBSUB, hosts=[ADDRESS]) == []


def test_the_layer_still_blocks_for_as_long() -> None:
    assert RedisChannelLayer.brpop_timeout == BLOCKS_S


@pytest.mark.parametrize(
    "hosts",
    [
        None,
        [],
        ["redis://there:6379"],
        [("there", 6379)],
        [ADDRESS],
        [{**ADDRESS, "socket_timeout": 5}],
        [{**ADDRESS, "socket_timeout": None}, ADDRESS],
    ],
)
def test_a_time_out_below_its_wait_is_refused(
    hosts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "version", lambda name: {"redis": "8.1.0"}[name])
    assert ids(ON_REDIS, hosts=hosts) == ["E012"]
    assert ids(ON_REDIS, hosts=hosts, debug=True) == ["E012"]


@pytest.mark.parametrize("timeout_s", [None, 20])
def test_a_time_out_above_its_wait_is_accepted(timeout_s: Any) -> None:
    assert ids(ON_REDIS, hosts=[{**ADDRESS, "socket_timeout": timeout_s}]) == []


def test_older_versions_have_no_time_out_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "version", lambda name: {"redis": "7.4.0"}[name])
    assert ids(ON_REDIS, hosts=[ADDRESS]) == []
    assert ids(ON_REDIS, hosts=[{**ADDRESS, "socket_timeout": 5}]) == ["E012"]
