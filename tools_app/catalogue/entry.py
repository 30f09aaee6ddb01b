"""The rows of the catalogue: what administrators say of each entry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, router, transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tools_app.bounds import validate_rate
from tools_app.catalogue.version import CatalogueVersion
from tools_app.catalogue.wording import (
    PERMISSION_HELP,
    SCOPE_HELP,
    TIMEOUT_HELP,
    validate_annotations,
    validate_argument_descriptions,
    validate_permission,
    validate_scope,
    validate_tags,
    validate_visible,
)
from tools_app.exact_text import ExactCharField
from tools_app.kinds.registry import CODE

MAX_KEY_CHARS = 512
MAX_TITLE_CHARS = 200
MAX_TEXT_CHARS = 20_000
MAX_TIMEOUT_S = 86_400


class EntryClass(models.TextChoices):
    """The kinds of the engine, as a person would say them."""

    TOOLS = "tools", _("tool")
    RESOURCES = "resources", _("resource")
    TEMPLATES = "templates", _("resource template")
    PROMPTS = "prompts", _("prompt")


class Visibility(models.TextChoices):
    LISTED = "listed", _("in the lists")
    UNLISTED = "unlisted", _("only to those who know its name")


# The fields that may differ from the code, each with what it is where it does not.
OVERRIDES: dict[str, Any] = {
    "title": "",
    "description": "",
    "argument_descriptions": {},
    "tags": None,
    "permission": "",
    "scope": "",
    "rate": "",
    "timeout_s": None,
    "visibility": Visibility.LISTED.value,
    "annotations": None,
}


class CatalogueEntryQuerySet(models.QuerySet["CatalogueEntry"]):
    """What changes many rows at once says so to the processes, as one row does."""

    def update(self, **values: Any) -> int:
        with transaction.atomic(using=self._written):
            changed = super().update(**values)
            if changed:
                CatalogueVersion.objects.raise_number(self._written)
        return changed

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(
        self, objs: Iterable[CatalogueEntry], *args: Any, **options: Any
    ) -> list[CatalogueEntry]:
        with transaction.atomic(using=self._written):
            made = super().bulk_create(objs, *args, **options)
            if made:
                CatalogueVersion.objects.raise_number(self._written)
        return made

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def from_code(self) -> CatalogueEntryQuerySet:
        return self.filter(source=CODE)

    @property
    def _written(self) -> str:
        chosen: str | None = self._db  # type: ignore[attr-defined]
        return chosen or router.db_for_write(self.model)


class CatalogueEntry(models.Model):
    """One tool, resource, template or prompt, and what is said of it here.

    An entry of the source "code" is one that code registers: its row holds what
    differs from the code, and what the code says of itself as ``code``, so that
    it can be shown beside. Any other source names the kind of entry that makes it
    of ``spec``. Blank texts and None mean: as the code has it.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=EntryClass.choices)
    key = ExactCharField(
        _("name or URI"),
        max_length=MAX_KEY_CHARS,
        help_text=_("What clients call it by."),
    )
    source = models.CharField(_("source"), max_length=64, default=CODE)
    app_label = models.CharField(_("app"), max_length=100, blank=True)
    enabled = models.BooleanField(
        _("on"),
        default=True,
        help_text=_("What is off does not exist for clients."),
    )
    missing_since = models.DateTimeField(
        _("code gone since"), null=True, blank=True, editable=False
    )
    title = models.CharField(
        _("title"),
        max_length=MAX_TITLE_CHARS,
        blank=True,
        validators=[validate_visible],
    )
    description = models.TextField(
        _("description"),
        max_length=MAX_TEXT_CHARS,
        blank=True,
        validators=[validate_visible],
    )
    argument_descriptions = models.JSONField(
        _("descriptions of arguments"),
        default=dict,
        blank=True,
        validators=[validate_argument_descriptions],
    )
    code = models.JSONField(_("as the code has it"), default=dict, editable=False)
    tags = models.JSONField(
        _("tags"), null=True, blank=True, validators=[validate_tags]
    )
    permission = models.CharField(
        _("permission"),
        max_length=255,
        blank=True,
        validators=[validate_permission],
        help_text=PERMISSION_HELP,
    )
    scope = models.CharField(
        _("scope"),
        max_length=255,
        blank=True,
        validators=[validate_scope],
        help_text=SCOPE_HELP,
    )
    rate = models.CharField(
        _("rate"), max_length=20, blank=True, validators=[validate_rate]
    )
    timeout_s = models.FloatField(
        _("deadline in seconds"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.001), MaxValueValidator(MAX_TIMEOUT_S)],
        help_text=TIMEOUT_HELP,
    )
    visibility = models.CharField(
        _("shown"),
        max_length=16,
        choices=Visibility.choices,
        default=Visibility.LISTED,
    )
    annotations = models.JSONField(
        _("annotations"), null=True, blank=True, validators=[validate_annotations]
    )
    spec = models.JSONField(_("content"), default=dict, blank=True)
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = CatalogueEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("catalogue entry")
        verbose_name_plural = _("catalogue entries")
        ordering = ["kind", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                name="tools_app_catalogue_kind_key",
                violation_error_message=_("There is an entry of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.key

    def save(self, *args: Any, **options: Any) -> None:
        using = options.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            super().save(*args, **options)

    @property
    def is_from_code(self) -> bool:
        return self.source == CODE

    @property
    def needed_permission(self) -> str:
        """What Django must grant to who uses it, as far as the row or the code say."""
        return self.permission or self.code.get("permission") or ""

    @property
    def overrides(self) -> list[str]:
        """The names of the fields in which the row says else than the code."""
        return [name for name, same in OVERRIDES.items() if getattr(self, name) != same]


def _changed(using: str, **_: object) -> None:
    """Runs within the transaction of the change, whoever saves or deletes."""
    CatalogueVersion.objects.raise_number(using)


post_save.connect(_changed, CatalogueEntry, dispatch_uid="tools_app.catalogue.saved")
post_delete.connect(
    _changed, CatalogueEntry, dispatch_uid="tools_app.catalogue.deleted"
)
