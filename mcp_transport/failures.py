"""Which of Django's own exceptions a model may read, and in which words."""

from __future__ import annotations

from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    ValidationError,
)
from django.http import Http404

# Raised in a resource, these mean that there is none under the URI.
MISSING = (ObjectDoesNotExist, Http404)


def explain(error: Exception) -> str | None:
    """Return words for a model, or None for what nobody meant it to read."""
    if isinstance(error, ValidationError):
        return "Not valid: " + " ".join(error.messages)
    if isinstance(error, PermissionDenied):
        return str(error) or "The caller does not have permission to do this."
    if isinstance(error, MISSING):
        return str(error) or "There is no such object."
    return None
