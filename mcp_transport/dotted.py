"""What settings name by a dotted path."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


def imported(path: str, *methods: str) -> Any:
    """Import what a setting names; a class is called without arguments.

    Raises ImproperlyConfigured where that fails, and for what has not all of the
    ``methods`` that it is named for.
    """
    try:
        found = import_string(path)
    # RuntimeError: a model whose app is not installed.
    except (ImportError, RuntimeError) as error:
        raise ImproperlyConfigured(
            f"settings.MCP names {path!r}, which cannot be imported: {error}"
        ) from error
    made = found() if isinstance(found, type) else found
    for method in methods:
        if not callable(getattr(made, method, None)):
            raise ImproperlyConfigured(
                f"settings.MCP names {path!r}, which has no {method}()"
            )
    return made
