"""Which of Django's own exceptions a model may read, and in which words."""

from __future__ import annotations

from django.core.exceptions import (
    NON_FIELD_ERRORS,
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
        return "Not valid: " + " ".join(_complaints(error))
    if isinstance(error, PermissionDenied):
        return str(error) or "The caller does not have permission to do this."
    if isinstance(error, MISSING):
        return str(error) or "There is no such object."
    return None


def _complaints(error: ValidationError) -> list[str]:
    """Return the messages; those of a form or a model with the field's name."""
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        message if name == NON_FIELD_ERRORS else f"{name}: {message}"
        for name, messages in error.message_dict.items()
        for message in messages
    ]
