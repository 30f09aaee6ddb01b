"""The fault and security tests, each at a size that shows most and at a small one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import (
    l01_ledger,
    t02_resume,
    t03_restarts,
    t04_slow_drain,
    t05_killed_process,
    t06_failpoints,
    t07_redis_restarted,
    t08_redis_emptied,
    t09_redis_disturbed,
    t10_stalled_readers,
    t11_half_open,
    t12_slow_clients,
    t13_connect_storm,
    t14_bodies,
    t15_websocket_abuse,
    t16_autobahn,
    t17_raw_http,
    t18_conformance,
    t23_revoked,
    t27_rates,
    t30_busy_threads,
)
from tests.security import (
    t19_fuzz,
    t20_bombs,
    t21_other_principals,
    t22_fixed_sessions,
    t24_origins_hosts,
    t25_headers,
    t26_injection,
    t28_token_timing,
    t29_stdio,
    t31_encodings,
)

Run = Callable[[Any, Path], Coroutine[Any, Any, str]]


@dataclass(frozen=True)
class Fault:
    """``run(size, directory)`` returns figures, or raises Failed. A size is data:
    there is one way through a test.
    """

    run: Run
    small: Any
    full: Any


FAULTS = {
    name: Fault(module.run, module.SMALL, module.FULL)
    for name, module in {
        "L1": l01_ledger,
        "T2": t02_resume,
        "T3": t03_restarts,
        "T4": t04_slow_drain,
        "T5": t05_killed_process,
        "T6": t06_failpoints,
        "T7": t07_redis_restarted,
        "T8": t08_redis_emptied,
        "T9": t09_redis_disturbed,
        "T10": t10_stalled_readers,
        "T11": t11_half_open,
        "T12": t12_slow_clients,
        "T13": t13_connect_storm,
        "T14": t14_bodies,
        "T15": t15_websocket_abuse,
        "T16": t16_autobahn,
        "T17": t17_raw_http,
        "T18": t18_conformance,
        "T19": t19_fuzz,
        "T20": t20_bombs,
        "T21": t21_other_principals,
        "T22": t22_fixed_sessions,
        "T23": t23_revoked,
        "T24": t24_origins_hosts,
        "T25": t25_headers,
        "T26": t26_injection,
        "T27": t27_rates,
        "T28": t28_token_timing,
        "T29": t29_stdio,
        "T30": t30_busy_threads,
        "T31": t31_encodings,
    }.items()
}
