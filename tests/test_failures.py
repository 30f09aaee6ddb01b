from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import (
    FieldDoesNotExist,
    ImproperlyConfigured,
    ObjectDoesNotExist,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DatabaseError, IntegrityError
from django.http import Http404

from mcp_transport.failures import MISSING, explain

NO_OBJECT = "There is no such object."
NO_PERMISSION = "The caller does not have permission to do this."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValidationError("Too long."), "Not valid: Too long."),
        (ValidationError(["Too long.", "Too odd."]), "Not valid: Too long. Too odd."),
        (
            ValidationError("At most %(n)d.", params={"n": 3}),
            "Not valid: At most 3.",
        ),
        (
            ValidationError({"email": ["Too long.", "Too odd."], "name": "Missing."}),
            "Not valid: email: Too long. email: Too odd. name: Missing.",
        ),
        (
            ValidationError({"__all__": ["The dates overlap."], "name": ["Missing."]}),
            "Not valid: The dates overlap. name: Missing.",
        ),
        (PermissionDenied(), NO_PERMISSION),
        (PermissionDenied("Only on Mondays."), "Only on Mondays."),
        (ObjectDoesNotExist(), NO_OBJECT),
        (ObjectDoesNotExist("No order 7."), "No order 7."),
        (User.DoesNotExist("No such user."), "No such user."),
        (Http404(), NO_OBJECT),
        (Http404("No page 7."), "No page 7."),
    ],
)
def test_what_django_means_for_people_is_said(error: Exception, words: str) -> None:
    assert explain(error) == words


@pytest.mark.parametrize(
    "error",
    [
        Exception("secret"),
        ValueError("secret"),
        KeyError("secret"),
        PermissionError("secret"),
        FileNotFoundError("/etc/secret"),
        User.MultipleObjectsReturned("secret"),
        FieldDoesNotExist("secret"),
        ImproperlyConfigured("secret"),
        SuspiciousOperation("secret"),
        DatabaseError("secret"),
        IntegrityError("secret"),
    ],
)
def test_what_nobody_meant_for_a_model_is_not(error: Exception) -> None:
    assert explain(error) is None


def test_an_invalid_model_names_its_fields() -> None:
    with pytest.raises(ValidationError) as caught:
        User(username="a b", password="p").clean_fields()
    words = explain(caught.value)
    assert words is not None
    assert words.startswith("Not valid: username: Enter a valid username.")


def test_what_means_that_there_is_no_resource() -> None:
    assert issubclass(User.DoesNotExist, MISSING)
    assert issubclass(Http404, MISSING)
    assert not issubclass(User.MultipleObjectsReturned, MISSING)
    assert not issubclass(PermissionDenied, MISSING)
