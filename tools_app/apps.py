"""The app's place in Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ToolsAppConfig(AppConfig):
    name = "tools_app"
    label = "tools_app"
    verbose_name = _("MCP")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tools_app import checks
        from tools_app.catalogue.configured import sync_after_migrate, tell_others
        from tools_app.catalogue.version import committed

        register(checks.check_authenticators)
        register(checks.check_token_pepper)
        register(checks.check_tickets)
        register(checks.check_secret_key)
        register(checks.check_entry_kinds)
        register(checks.check_files_root)
        committed.connect(tell_others, dispatch_uid="tools_app.tell_others")
        post_migrate.connect(sync_after_migrate, sender=self)
        register(checks.check_ledger)
        register(checks.check_ledger_database)
