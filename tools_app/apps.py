"""The app's place in Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class ToolsAppConfig(AppConfig):
    name = "tools_app"
    label = "tools_app"
    verbose_name = _("MCP")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tools_app import checks

        register(checks.check_authenticators)
        register(checks.check_token_pepper)
        register(checks.check_tickets)
        register(checks.check_secret_key)
        register(checks.check_ledger)
