"""The site as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "mcpsite"
    verbose_name = "Documentation site"
    default_auto_field = "django.db.models.BigAutoField"
