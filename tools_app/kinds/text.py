"""A text that is written in the admin and read as a resource.

Spec: 2026-07-28 server/resources.
"""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mcp_transport.engine.resource import Resource
from tools_app.kinds.fields import MediaTypeField, VisibleTextField
from tools_app.kinds.kind import EntryKind, Made
from tools_app.kinds.uri import check_uri

MAX_TEXT_BYTES = 262_144


class TextForm(forms.Form):
    mime_type = MediaTypeField(
        label=_("Media type"), initial="text/markdown", max_length=255
    )
    text = VisibleTextField(
        label=_("Text"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 20, "cols": 80}),
        help_text=_("What a client reads, 256 KiB at most."),
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise ValidationError(
                _("The text has more than %(most)d bytes."),
                code="too_large",
                params={"most": MAX_TEXT_BYTES},
            )
        return text


class TextKind(EntryKind):
    name = "text"
    label = _("text")
    summary = _("A resource whose text is written here.")
    makes = "resources"
    form = TextForm

    def build(self, made: Made) -> Resource:
        text: str = made.spec["text"]

        async def read() -> str:
            return text

        return Resource.of(
            read,
            check_uri(made.key),
            name=made.title or made.key,
            title=made.title or None,
            description=made.description,
            mime_type=made.spec["mime_type"],
            size=len(text.encode()),
        )
