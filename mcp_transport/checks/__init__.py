"""System checks: what can be seen to be wrong before the first request.

docs/checks.md lists them, with what to do.
"""

from __future__ import annotations

from django.core.checks import Tags
from django.core.checks import register as register_check

from mcp_transport.checks.catalogue import check_catalogue
from mcp_transport.checks.cors import check_cors
from mcp_transport.checks.exposure import (
    check_anonymous,
    check_debug,
    check_hosts,
    check_https,
    check_proxies,
)
from mcp_transport.checks.keys import check_settings
from mcp_transport.checks.layers import check_layers
from mcp_transport.checks.limits import check_limits
from mcp_transport.checks.processes import check_counts, check_processes, check_store
from mcp_transport.checks.versions import check_versions

ALWAYS = (
    check_settings,
    check_limits,
    check_hosts,
    check_anonymous,
    check_debug,
    check_cors,
    check_processes,
    check_counts,
    check_layers,
    check_versions,
)
DEPLOYED = (check_store, check_https, check_proxies)


def register() -> None:
    for check in ALWAYS:
        register_check(check, Tags.security)
    for check in DEPLOYED:
        register_check(check, Tags.security, deploy=True)
    register_check(check_catalogue)
