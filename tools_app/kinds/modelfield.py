"""Paths to fields of a model, as far as a query may reach them.

A path is a field, or fields joined by ``__`` of which all but the last are
foreign keys, as in ``customer__city``. It never leads back along a relation, so
that there is one value for each row and one query for all of them.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models

MAX_HOPS = 5

# Words of a field's name that say that it is nobody's to see.
_SECRET_WORDS = frozenset(
    (
        "apikey",
        "credential",
        "credentials",
        "digest",
        "hash",
        "otp",
        "passphrase",
        "passwd",
        "password",
        "pin",
        "pwd",
        "salt",
        "secret",
        "secrets",
        "token",
        "totp",
    )
)
_SECRET_PHRASES = (
    "access_key",
    "api_key",
    "encryption_key",
    "private_key",
    "secret_key",
    "session_data",
    "session_key",
    "signing_key",
)
# Their primary keys are secrets, whatever else they show.
_SECRET_MODELS = frozenset(
    ("authtoken.token", "authtoken.tokenproxy", "sessions.session")
)

# The type of a field's values, by the first class that it is of.
_TYPES: tuple[tuple[type[models.Field[Any, Any]], Any], ...] = (
    (models.BooleanField, bool),
    (models.IntegerField, int),
    (models.AutoField, int),
    (models.FloatField, float),
    (models.DecimalField, Decimal),
    (models.DateTimeField, datetime.datetime),
    (models.DateField, datetime.date),
    (models.TimeField, datetime.time),
    (models.DurationField, datetime.timedelta),
    (models.UUIDField, UUID),
    (models.JSONField, Any),
    (models.CharField, str),
    (models.TextField, str),
    (models.FileField, str),
    (models.FilePathField, str),
    (models.GenericIPAddressField, str),
)


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A path that may be read.

    ``field`` is the one at its end, or the key that a foreign key holds there;
    ``value`` the type of its values; ``models`` those that it looks into.
    """

    path: str
    field: models.Field[Any, Any]
    value: Any
    nullable: bool
    relation: models.Field[Any, Any] | None
    models: frozenset[type[models.Model]]

    @property
    def label(self) -> str:
        return str((self.relation or self.field).verbose_name)


def find_path(model: type[models.Model], path: str) -> FieldPath:
    """Return the path from ``model``.

    Raises ValueError, in plain words, for one that leads nowhere, to many rows,
    to a secret or to what has no place in JSON.
    """
    parts = path.split("__")
    if len(parts) > MAX_HOPS:
        raise ValueError(f"{path}: at most {MAX_HOPS - 1} foreign keys in a row")
    looked_into: set[type[models.Model]] = {model}
    nullable = False
    at, field = model, _field(model, parts[0], path)
    for part in parts[1:]:
        nullable = nullable or bool(field.null)
        at = _related(field, path)
        looked_into.add(at)
        field = _field(at, part, path)
    end = _end(field)
    return FieldPath(
        path=path,
        field=end,
        value=_value(end, path),
        nullable=nullable or bool(field.null),
        relation=field if field.is_relation else None,
        models=frozenset(looked_into),
    )


def check_model(model: type[models.Model]) -> None:
    """Raise ValueError for a model whose rows are secrets."""
    if model._meta.label_lower in _SECRET_MODELS:
        raise ValueError(f"{model._meta.label} holds secrets and cannot be queried")


def find_model(label: str) -> type[models.Model]:
    """Return the model "app.Name". Raises ValueError where there is none to query."""
    try:
        model: type[models.Model] = apps.get_model(label)
    except (LookupError, ValueError):
        raise ValueError(f"there is no model {label!r} in the installed apps") from None
    check_model(model)
    return model


def find_searchable(model: type[models.Model], path: str) -> FieldPath:
    """Return the path to a text. Raises ValueError for any other."""
    found = find_path(model, path)
    if found.value is not str:
        raise ValueError(f"{path}: only text can be searched; make it a filter")
    return found


def find_owner(model: type[models.Model], path: str) -> str:
    """Return the path to the user whom a row belongs to. Raises ValueError."""
    relation = find_path(model, path).relation
    if relation is None or relation.related_model is not get_user_model():
        raise ValueError(f"{path}: this is no foreign key to the user")
    return path


def view_permission(model: type[models.Model]) -> str:
    """Return what Django must grant to see rows of ``model``."""
    codename = get_permission_codename("view", model._meta)
    return f"{model._meta.app_label}.{codename}"


def is_secret(name: str) -> bool:
    """Tell whether the name of a field says that it is nobody's to see."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    return not _SECRET_WORDS.isdisjoint(words.split("_")) or any(
        phrase in words for phrase in _SECRET_PHRASES
    )


def _field(model: type[models.Model], name: str, path: str) -> models.Field[Any, Any]:
    check_model(model)
    if is_secret(name):
        raise ValueError(_secret(name, path))
    try:
        found = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        known = ", ".join(
            field.name
            for field in model._meta.concrete_fields
            if not is_secret(field.name)
        )
        raise ValueError(
            f"{path}: {model._meta.label} has no field {name!r}; it has {known}"
        ) from None
    if not isinstance(found, models.Field) or not found.concrete or found.many_to_many:
        raise ValueError(
            f"{path}: {name} leads to many rows; only fields and foreign keys can be "
            "read"
        )
    if is_secret(found.name):  # by another name, such as pk
        raise ValueError(_secret(name, path))
    return found


def _secret(name: str, path: str) -> str:
    where = "" if name == path else f"{path}: "
    return f"{where}{name} looks like a secret and is never shown"


def _related(field: models.Field[Any, Any], path: str) -> type[models.Model]:
    related = field.related_model
    if related is None or isinstance(related, str):
        raise ValueError(
            f"{path}: {field.name} is no foreign key, so nothing can follow it"
        )
    return related


def _end(field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    """Return the field whose values a foreign key holds, whatever it refers to."""
    while isinstance(field, models.ForeignKey):
        check_model(field.remote_field.model)
        field = field.target_field
    return field


def _value(field: models.Field[Any, Any], path: str) -> Any:
    for of, value in _TYPES:
        if isinstance(field, of):
            return value
    raise ValueError(f"{path}: a {type(field).__name__} cannot be shown")
