"""Gauges that an application registers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from mcp_transport.engine.store import StoreUnavailable
from mcp_transport.monitoring import gauges, register_gauge


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gauges, "_gauges", {})
    yield


def test_what_is_registered_is_read_when_somebody_looks() -> None:
    depth = [1]
    register_gauge("shop_depth", "Orders that wait.", lambda: depth[0])
    (gauge,) = gauges.gauges()
    depth[0] = 7
    assert (gauge.name, gauge.description) == ("shop_depth", "Orders that wait.")
    assert (gauge.across, gauge.value()) == ("sum", 7.0)


def test_the_last_one_under_a_name_counts() -> None:
    register_gauge("shop_depth", "One.", lambda: 1)
    register_gauge("shop_depth", "Two.", lambda: 2, across="max")
    (gauge,) = gauges.gauges()
    assert (gauge.description, gauge.across, gauge.value()) == ("Two.", "max", 2.0)


def test_what_cannot_be_read_is_no_number_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away() -> float:
        raise StoreUnavailable

    register_gauge("shop_depth", "Orders that wait.", away)
    register_gauge("shop_users", "Who is there.", lambda: 3)
    first, second = gauges.gauges()
    assert math.isnan(first.value())
    assert second.value() == 3
    assert "the gauge shop_depth could not be read" in caplog.text
