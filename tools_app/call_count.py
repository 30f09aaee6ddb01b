"""The table of counts: what figures are made of, so that they need not read calls."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tools_app.call import MAX_NAME_CHARS, MAX_WORD_CHARS
from tools_app.exact_text import ExactCharField

# The fields that tell what is counted, in the order of their index: the steps of a
# period lie together.
KEY = ("step_minutes", "by_name", "by_token", "minute", "method", "name", "token")


class CallCount(models.Model):
    """How many calls began in one step of time: of all calls, or of those of one name,
    of one token, or of both.

    Each call is counted by the steps of every period, and for each of them four
    times: with and without its name (``by_name``), with and without its token
    (``by_token``). What a count is not by is "" or 0. ``token`` is a primary key, 0
    for calls without a token; it stays when the token is deleted.

    ``errors`` are those of ``calls`` that failed, and ``limited`` those of the errors
    that were refused because a limit was reached. ``durations`` has how many calls
    are in each bucket of tools_app.ledger.durations.
    """

    step_minutes = models.PositiveIntegerField(_("length of the step (minutes)"))
    by_name = models.BooleanField(_("by name"))
    by_token = models.BooleanField(_("by token"))
    minute = models.PositiveIntegerField(_("begin of the step (minutes since 1970)"))
    method = ExactCharField(_("method"), max_length=MAX_WORD_CHARS, blank=True)
    name = ExactCharField(_("name"), max_length=MAX_NAME_CHARS, blank=True)
    token = models.PositiveBigIntegerField(_("token"))
    calls = models.PositiveIntegerField(_("calls"))
    errors = models.PositiveIntegerField(_("errors"))
    limited = models.PositiveIntegerField(_("rate limits hit"))
    durations = models.JSONField(_("calls by bucket of their duration"))

    class Meta:
        verbose_name = _("count of calls")
        verbose_name_plural = _("counts of calls")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=KEY, name="mcp_count_key"),
        ]

    def __str__(self) -> str:
        named = self.name if self.by_name else "*"
        token = str(self.token) if self.by_token else "*"
        return f"{named}, token {token}: {self.calls}"
