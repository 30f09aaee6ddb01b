"""Origins whose pages may call, as administrators allow them."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mcp_transport.guards.origin import MAX_ORIGIN_CHARS, normalised_origin


def validate_origin(text: str) -> None:
    """Raises ValidationError for what is not exactly a scheme, a host and a port."""
    if normalised_origin(text) is None:
        raise ValidationError(
            _(
                "Write scheme, host and port, such as https://app.example.com, without "
                "a path. There are no wildcards."
            ),
            code="origin",
        )


class AllowedOrigin(models.Model):
    """One origin more than ``MCP["ALLOWED_ORIGINS"]`` has.

    ``full_clean`` brings it into the form in which equal origins are equal texts.
    """

    origin = models.CharField(
        _("origin"),
        max_length=MAX_ORIGIN_CHARS,
        unique=True,
        validators=[validate_origin],
        help_text=_("Whose pages may call, such as https://app.example.com"),
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )

    class Meta:
        verbose_name = _("allowed origin")
        verbose_name_plural = _("allowed origins")
        ordering = ["origin"]

    def __str__(self) -> str:
        return self.origin

    def clean(self) -> None:
        # What is no origin, its field has complained of.
        self.origin = normalised_origin(self.origin) or self.origin
