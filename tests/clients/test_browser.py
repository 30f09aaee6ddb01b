"""A page in a real browser, whose EventSource can send no header: it is let in
without a token, from this machine alone.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests import peers
from tests.serving import daphne

PROGRAM = Path(__file__).parent / "programs" / "eventsource.mjs"


def test_an_eventsource_hears_the_answers(
    shop_environ: dict[str, str], token: str, tmp_path: Path
) -> None:
    environ = {**shop_environ, "SHOP_IS_OPEN": "1"}
    log = tmp_path / "daphne.log"
    with daphne("tests.clients.asgi:application", log, environ=environ) as served:
        met = peers.run(
            ["node", PROGRAM, peers.environment("browser"), served.origin],
            timeout_s=120,
        )
        assert met.returncode == 0, f"{met.stderr}\n{served.said()}"
    (hello_status, hello), (status, answer) = json.loads(met.stdout)
    assert (hello_status, status) == (202, 202)
    assert hello["result"]["protocolVersion"] == "2024-11-05"
    (block,) = answer["result"]["content"]
    assert json.loads(block["text"]) == {"item": "cake", "pence": 750}
