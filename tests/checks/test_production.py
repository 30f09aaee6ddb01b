from __future__ import annotations

from django.test import override_settings

from mcp_transport.checks.production import in_production


def test_it_is_where_debug_is_off() -> None:
    assert in_production()
    with override_settings(DEBUG=True):
        assert not in_production()


def test_a_run_of_tests_is_none() -> None:
    with override_settings(ALLOWED_HOSTS=["mcp.example.com", "testserver"]):
        assert not in_production()
