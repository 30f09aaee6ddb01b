"""What is served, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from mcp_transport.conf import read_settings
from mcp_transport.dotted import imported
from mcp_transport.engine.catalogue import Shelf


def check_catalogue(**_: Any) -> list[CheckMessage]:
    conf, _problems = read_settings()
    try:
        catalogue = imported(conf.catalogue)
    except ImproperlyConfigured:
        return []  # E004 tells of it
    # One that is not the shelf itself may say which one it serves.
    shelf = getattr(catalogue, "shelf", catalogue)
    if not isinstance(shelf, Shelf):
        return []
    return [*_collisions(shelf), *_for_nobody(shelf)]


def _collisions(shelf: Shelf) -> Iterator[CheckMessage]:
    for collision in shelf.collisions:
        yield Error(
            collision,
            hint="Give one of them another name=.",
            id="mcp_transport.E002",
        )


def _for_nobody(shelf: Shelf) -> Iterator[CheckMessage]:
    """Tell of permissions that no model has: a slip hides the entry from all."""
    known = set(_permissions())
    for entry in shelf.entries():
        permission = entry.permission
        if permission is None or permission in known:
            continue
        near = get_close_matches(permission, known, n=1)
        yield Warning(
            f"{entry.key!r} in {entry.kind} needs the permission {permission!r}, "
            "which no model has: only superusers would see it.",
            hint=f"Did you mean {near[0]!r}?"
            if near
            else "Correct it, or declare it in Meta.permissions of a model. Silence "
            "this where it is made in another way.",
            id="mcp_transport.W010",
        )


def _permissions() -> Iterator[str]:
    """Return what ``migrate`` makes permissions of, as "app.codename"."""
    for model in apps.get_models():
        meta = model._meta
        names = [f"{action}_{meta.model_name}" for action in meta.default_permissions]
        names += [codename for codename, _name in meta.permissions]
        for name in names:
            yield f"{meta.app_label}.{name}"
