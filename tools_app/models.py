"""Bearer tokens: who may call, as whom, for what and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from tools_app import credential
from tools_app.scopes import SCOPES_HELP, validate_scopes

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

LIFETIME = timedelta(days=90)


def default_expiry() -> datetime:
    return timezone.now() + LIFETIME


class State(models.TextChoices):
    ACTIVE = "active", _("active")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


class TokenQuerySet(models.QuerySet["Token"]):
    @sensitive_variables("text")
    def issue(
        self,
        *,
        name: str,
        owner: AbstractBaseUser,
        scopes: list[str],
        expires_at: datetime | None = None,
        notes: str = "",
    ) -> tuple[Token, str]:
        """Create a token and return it with its text, which is kept nowhere.

        ``expires_at`` is 90 days from now unless given.

        Raises:
            ValidationError: a scope or another field is not acceptable.
        """
        values: dict[str, Any] = {"name": name, "owner": owner, "scopes": scopes}
        if expires_at is not None:
            values["expires_at"] = expires_at
        token = self.model(notes=notes, **values)
        text = token.mint()
        token.full_clean()
        token.save(force_insert=True, using=self.db)
        return token, text

    def in_state(self, state: State) -> TokenQuerySet:
        revoked = Q(revoked_at__isnull=False)
        expired = Q(expires_at__lte=timezone.now())
        conditions = {
            State.REVOKED: revoked,
            State.EXPIRED: ~revoked & expired,
            State.ACTIVE: ~revoked & ~expired,
        }
        return self.filter(conditions[state])


class Token(models.Model):
    """A credential that acts as its owner, within its scopes.

    A call is allowed only if the scopes grant it and the owner's Django
    permissions do. A token of an inactive owner is refused; the owner's
    deletion deletes it.
    """

    public_id = models.CharField(
        _("public id"),
        max_length=credential.PUBLIC_ID_CHARS,
        unique=True,
        default=credential.new_public_id,
        editable=False,
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("Where the token is used.")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="mcp_tokens",
        verbose_name=_("owner"),
        help_text=_("Calls are made as this user, with this user's permissions."),
    )
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    scopes = models.JSONField(
        _("scopes"),
        default=list,
        blank=True,
        validators=[validate_scopes],
        help_text=SCOPES_HELP,
    )
    expires_at = models.DateTimeField(_("expires"), default=default_expiry)
    created_at = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )
    revoked_at = models.DateTimeField(
        _("revoked"), null=True, blank=True, editable=False
    )
    last_used_at = models.DateTimeField(
        _("last used"), null=True, blank=True, editable=False
    )
    notes = models.TextField(_("notes"), blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering = ["-created_at", "-pk"]
        permissions = [("revoke_token", "Can revoke token")]

    def __str__(self) -> str:
        return f"{self.name} ({self.identifier})"

    @property
    def identifier(self) -> str:
        """What may be shown of the token's text: the prefix and the public id."""
        return f"{credential.PREFIX}{self.public_id}"

    @property
    def state(self) -> State:
        if self.revoked_at is not None:
            return State.REVOKED
        return State.ACTIVE if self.expires_at > timezone.now() else State.EXPIRED

    def mint(self) -> str:
        """Give a new token its secret and return the token's text, once.

        Raises:
            ValueError: the token has a secret, which the caller cannot be shown.
        """
        if self.digest:
            raise ValueError(f"Token {self.public_id} has a secret: issue another.")
        text = credential.new_token_text(self.public_id)
        self.digest = credential.digest(credential.peppers()[0], text).hex()
        return text

    def revoke(self) -> None:
        """Withdraw the token for good; what was revoked keeps its time."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])
