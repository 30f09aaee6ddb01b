"""Bearer tokens: who may call, as whom, for what and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, router, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from tools_app import bounds, credential
from tools_app.allowed_origin import AllowedOrigin as AllowedOrigin
from tools_app.call import Call as Call
from tools_app.call_count import CallCount as CallCount
from tools_app.catalogue.entry import CatalogueEntry as CatalogueEntry
from tools_app.catalogue.version import CatalogueVersion as CatalogueVersion
from tools_app.scopes import SCOPES_HELP, validate_scopes

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

LIFETIME = timedelta(days=90)
# For how long an old secret works on beside the new one.
OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=30)


_OF_SECRETS = [
    "digest",
    "last_used_at",
    "previous_digest",
    "previous_expires_at",
    "previous_last_used_at",
]


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
        **others: Any,
    ) -> tuple[Token, str]:
        """Create a token and return it with its text, which is kept nowhere.

        ``expires_at`` is 90 days from now unless given. The others are
        ``notes``, ``allowed_tools``, ``rate``, ``max_calls`` and ``networks``,
        as the fields of Token.

        Raises:
            ValidationError: a scope or another field is not acceptable.
        """
        values = {"name": name, "owner": owner, "scopes": scopes, **others}
        if expires_at is not None:
            values["expires_at"] = expires_at
        token = self.model(**values)
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

    def in_overlap(self) -> TokenQuerySet:
        """Return those whose old secret works beside the new one."""
        active = self.in_state(State.ACTIVE)
        return active.filter(previous_expires_at__gt=timezone.now())


class Token(models.Model):
    """A credential that acts as its owner, within its scopes.

    A call is allowed only if the scopes grant it and the owner's Django
    permissions do. A token of an inactive owner is refused; the owner's
    deletion deletes it.

    ``digest`` and ``last_used_at`` are those of the current secret. A rotation
    moves them to ``previous_digest`` and ``previous_last_used_at``, where the
    old secret works until ``previous_expires_at``.
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
    allowed_tools = models.JSONField(
        _("tools"),
        default=list,
        blank=True,
        validators=[bounds.validate_tools],
        help_text=bounds.TOOLS_HELP,
    )
    rate = models.CharField(
        _("rate"),
        max_length=20,
        blank=True,
        validators=[bounds.validate_rate],
        help_text=bounds.RATE_HELP,
    )
    max_calls = models.PositiveIntegerField(
        _("calls at a time"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=bounds.MAX_CALLS_HELP,
    )
    networks = models.JSONField(
        _("networks"),
        default=list,
        blank=True,
        validators=[bounds.validate_networks],
        help_text=bounds.NETWORKS_HELP,
    )
    previous_digest = models.CharField(
        _("digest of the old secret"), max_length=64, blank=True, editable=False
    )
    previous_expires_at = models.DateTimeField(
        _("old secret expires"), null=True, blank=True, editable=False
    )
    previous_last_used_at = models.DateTimeField(
        _("old secret last used"), null=True, blank=True, editable=False
    )

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("revoke_token", "Can revoke token"),
            ("rotate_token", "Can rotate token"),
        ]

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

    @property
    def old_secret_until(self) -> datetime | None:
        """Until when the secret before the last rotation works; None if no more."""
        until = self.previous_expires_at
        if self.state is not State.ACTIVE or until is None or until <= timezone.now():
            return None
        return min(until, self.expires_at)

    def mint(self) -> str:
        """Give a new token its secret and return the token's text, once.

        Raises:
            ValueError: the token has a secret, which the caller cannot be shown.
        """
        if self.digest:
            raise ValueError(f"Token {self.public_id} has a secret: issue another.")
        return self._new_secret()

    @sensitive_variables("text")
    def rotate(self, overlap: timedelta = OVERLAP) -> str:
        """Give the token a new secret and return the token's text, once.

        The old secret works on for ``overlap``, but no longer than the token,
        and the one before it ends. A new secret that nobody has used while the
        old one works is replaced, so that what was lost can be made again.

        Raises:
            ValidationError: the token is not active, or ``overlap`` is too long.
        """
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            raise ValidationError(
                _("The old secret may work on for %(days)d days at most."),
                code="overlap",
                params={"days": MAX_OVERLAP.days},
            )
        with transaction.atomic(using=router.db_for_write(Token, instance=self)):
            # As it is now, and locked: two rotations at once are one after another.
            self.refresh_from_db(from_queryset=Token.objects.select_for_update())
            if self.state is not State.ACTIVE:
                raise ValidationError(
                    _("Only an active token can be rotated."), code="not_active"
                )
            if self.old_secret_until is None or self.last_used_at is not None:
                self.previous_digest = self.digest
                self.previous_last_used_at = self.last_used_at
            self.previous_expires_at = min(timezone.now() + overlap, self.expires_at)
            self.last_used_at = None
            text = self._new_secret()
            self.save(update_fields=_OF_SECRETS)
        return text

    def end_old_secret(self) -> None:
        """Refuse the secret before the last rotation from now on."""
        self.previous_digest, self.previous_expires_at = "", None
        self.save(update_fields=["previous_digest", "previous_expires_at"])

    def revoke(self) -> None:
        """Withdraw the token for good; what was revoked keeps its time."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])

    def _new_secret(self) -> str:
        text = credential.new_token_text(self.public_id)
        self.digest = credential.digest(credential.peppers()[0], text).hex()
        return text


class Inspector(Token):
    """The inspector's place in the admin: a page and a permission, but no rows.

    A proxy, because a model without a table would fail ``dumpdata``.
    """

    class Meta:
        proxy = True
        default_permissions = ()
        permissions = [("run_as", "Can run as a token or a user")]
        verbose_name = _("inspector")
        verbose_name_plural = _("inspector")


class Dashboard(Token):
    """The dashboard's place in the admin, as the inspector's."""

    class Meta:
        proxy = True
        default_permissions = ()
        permissions = [
            ("view_dashboard", "Can view the dashboard"),
            ("end_session", "Can end a session"),
        ]
        verbose_name = _("dashboard")
        verbose_name_plural = _("dashboard")
