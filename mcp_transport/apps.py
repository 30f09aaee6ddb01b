"""The Django app: fills the catalogue from each app's ``mcp`` module."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class MCPTransportConfig(AppConfig):
    name = "mcp_transport"
    verbose_name = _("Model Context Protocol")

    def ready(self) -> None:
        from mcp_transport import checks
        from mcp_transport.status import counts

        checks.register()
        counts.register()
        autodiscover_modules("mcp")
