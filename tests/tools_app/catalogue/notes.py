"""A kind of entry of the shop's own: a note, as a resource."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from mcp_transport.engine.resource import Resource
from tools_app.kinds.kind import EntryKind, Made

NAMED = "tests.tools_app.catalogue.notes.NoteKind"


class NoteForm(forms.Form):
    text = forms.CharField(max_length=50)
    tool = forms.CharField(required=False)
    lines = forms.IntegerField(required=False)

    def clean(self) -> None:
        if "nothing" in self.cleaned_data.get("text", ""):
            raise ValidationError("A note says something.")


class NoteKind(EntryKind):
    name = "note"
    label = "note"
    makes = "resources"
    form = NoteForm

    def build(self, made: Made) -> Resource:
        text, tool = made.spec["text"], made.spec.get("tool")
        if tool and made.look_up("tools", tool) is None:
            raise ValueError(f"the tool {tool} is switched off or gone")

        def note() -> str:
            return str(text)

        return Resource.of(
            note,
            made.key,
            title=made.title or None,
            description=made.description or "A note.",
        )
