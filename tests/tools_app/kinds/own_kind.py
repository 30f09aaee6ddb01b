"""A project's own kind, as the documentation shows it."""

from __future__ import annotations

from django import forms

from mcp_transport.engine.resource import Resource
from tools_app.kinds.kind import EntryKind, Made


class CountdownForm(forms.Form):
    days = forms.IntegerField(label="days", min_value=1, max_value=365)


class Countdown(EntryKind):
    name = "countdown"
    label = "countdown"
    summary = "A resource that counts the weeks to a day."
    makes = "resources"
    form = CountdownForm

    def build(self, made: Made) -> Resource:
        days: int = made.spec["days"]
        if days % 7:
            raise ValueError("A countdown is of whole weeks.")

        def read() -> str:
            return f"{days // 7} weeks to go"

        return Resource.of(
            read,
            made.key,
            name=made.title or made.key,
            description=made.description,
            mime_type="text/plain",
        )
