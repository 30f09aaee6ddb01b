"""The number of the catalogue, which every change of its rows raises.

It is raised in the transaction of the change: who reads a number sees all that
it stands for, and what is rolled back has none. After the commit ``committed`` is
sent, once for a transaction.
"""

from __future__ import annotations

from django.db import connections, models, transaction
from django.db.models import F
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

ONLY = 1

committed = Signal()


def _tell() -> None:
    committed.send_robust(CatalogueVersion)


class CatalogueVersionManager(models.Manager["CatalogueVersion"]):
    def raise_number(self, using: str) -> None:
        """Say that rows were changed, within the transaction that changes them."""
        waiting = connections[using].run_on_commit
        if _tell not in (entry[1] for entry in waiting):
            transaction.on_commit(_tell, using=using)
        row = self.using(using).filter(pk=ONLY)
        if row.update(number=F("number") + 1):
            return
        # Several may find none at once: one makes it, and all raise it.
        with transaction.atomic(using=using):
            self.using(using).bulk_create([self.model(pk=ONLY)], ignore_conflicts=True)
            row.update(number=F("number") + 1)

    def number(self, using: str) -> int:
        """Return the number; 0 before the first change."""
        found = self.using(using).filter(pk=ONLY).values_list("number", flat=True)
        return found.first() or 0


class CatalogueVersion(models.Model):
    """The one row of the table."""

    number = models.PositiveBigIntegerField(_("number"), default=0)

    objects = CatalogueVersionManager()

    class Meta:
        verbose_name = _("version of the catalogue")
        verbose_name_plural = _("versions of the catalogue")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)
