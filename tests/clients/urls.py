"""Nothing but the endpoint, which is mounted beside these."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
