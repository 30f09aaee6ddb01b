"""The table of calls: one row for each tool called, resource read, prompt got."""

from __future__ import annotations

import secrets
import time
import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mcp_transport.engine.observing import Outcome

MAX_NAME_CHARS = 255
MAX_WORD_CHARS = 64
MAX_ERROR_CHARS = 1000

# The methods that are calls, and the param that names what is called.
NAMED_BY = {"tools/call": "name", "resources/read": "uri", "prompts/get": "name"}

OUTCOMES = [
    (Outcome.OK.value, _("done")),
    (Outcome.TOOL_ERROR.value, _("the tool failed")),
    (Outcome.INPUT_REQUIRED.value, _("asked the client")),
    (Outcome.ERROR.value, _("refused")),
    (Outcome.TIMED_OUT.value, _("too late")),
    (Outcome.CANCELLED.value, _("cancelled")),
]
# Those that somebody may want to look into. Who cancels knows why.
FAILURES = (Outcome.TOOL_ERROR, Outcome.ERROR, Outcome.TIMED_OUT)


def new_id() -> uuid.UUID:
    """Return an id that sorts by the time it was made, in milliseconds.

    It is made before the row is written, so that whoever does not know whether a
    row was written can look. Spec: RFC 9562 #section-5.7 (version 7).
    """
    random = secrets.randbits(74)
    number = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80
    number |= 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return uuid.UUID(int=number)


class Call(models.Model):
    """One call, as it was answered, or as it ended without an answer.

    ``duration_bucket`` and ``minute`` repeat ``duration_ms`` and ``at`` as whole
    numbers, by which it is counted; see tools_app.call_count. ``session_id`` is a
    digest, which opens no session. ``arguments`` are redacted.
    ``error`` is what the client was told. ``log_entry`` is the primary key of an
    entry in the admin's history: a number, so that the admin need not be installed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(_("time"))
    minute = models.PositiveIntegerField(_("minutes since 1970"))
    duration_ms = models.FloatField(_("duration (ms)"))
    duration_bucket = models.SmallIntegerField(_("bucket of the duration"))
    method = models.CharField(_("method"), max_length=MAX_WORD_CHARS)
    name = models.CharField(_("name"), max_length=MAX_NAME_CHARS)
    subject = models.CharField(_("caller"), max_length=MAX_NAME_CHARS)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    token = models.ForeignKey(
        "tools_app.Token",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        # The index with the time serves.
        db_index=False,
        related_name="calls",
        verbose_name=_("token"),
    )
    actor = models.CharField(
        _("run by"),
        max_length=MAX_NAME_CHARS,
        blank=True,
        help_text=_("The administrator who ran this as the user."),
    )
    client = models.CharField(_("client"), max_length=MAX_NAME_CHARS, blank=True)
    door = models.CharField(_("transport"), max_length=MAX_WORD_CHARS)
    revision = models.CharField(_("revision"), max_length=MAX_WORD_CHARS, blank=True)
    session_id = models.CharField(_("session"), max_length=16, blank=True)
    arguments = models.JSONField(_("arguments"), default=dict, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=OUTCOMES)
    error_code = models.IntegerField(_("error code"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=MAX_ERROR_CHARS, blank=True)
    sent_bytes = models.BigIntegerField(_("bytes sent"))
    trace_id = models.CharField(_("trace"), max_length=32, blank=True)
    log_entry = models.PositiveBigIntegerField(
        _("entry in the history"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-at", "-pk"]
        default_permissions = ("view", "delete")
        permissions = [("export_call", "Can export calls")]
        indexes = [
            models.Index(fields=["-at", "-id"], name="mcp_call_at"),
            models.Index(fields=["name", "-at"], name="mcp_call_name"),
            models.Index(fields=["token", "-at"], name="mcp_call_token"),
            models.Index(fields=["outcome", "-at"], name="mcp_call_outcome"),
            models.Index(fields=["trace_id"], name="mcp_call_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.name}"
