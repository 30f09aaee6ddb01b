"""A process ends, whatever holds it up."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

HELD = {
    "thread": "threading.Thread(target=time.sleep, args=(60,)).start()",
    "lock": "logging.getLogger().handlers[0].acquire(); time.sleep(60)",
}
PROGRAM = """\
import logging, threading, time
from mcp_transport.countdown import Countdown
logging.basicConfig()
logging.warning("said")
countdown = Countdown()
countdown.begin(30)
countdown.begin(0.5)
countdown.begin(30)
{held}
"""


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_the_earliest_end_counts(held: str) -> None:
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(held=held)],
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert ran.returncode == 0
    assert 0.5 < time.monotonic() - began < 15
    assert b"said" in ran.stderr
