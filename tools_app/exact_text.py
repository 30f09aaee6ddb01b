"""A field for names that are the same only if each of their characters is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    CharField = models.CharField[str, str]
else:
    CharField = models.CharField

# By the bytes, spaces at the end included.
_COLLATIONS = {"MariaDB": "utf8mb4_nopad_bin", "MySQL": "utf8mb4_0900_bin"}


class ExactCharField(CharField):
    """A CharField that MariaDB and MySQL compare as other databases do.

    By themselves they compare text without regard to case, accents and spaces at the
    end, so that of two tools ``Find`` and ``find`` there could be one only. So does
    what searches the field there: it regards case.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = _COLLATIONS[connection.display_name]
        return parameters
