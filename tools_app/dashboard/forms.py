"""What an administrator posts to end something."""

from __future__ import annotations

from django import forms

from mcp_transport.engine.presence import HANDLE_DIGITS

SESSION, STREAM = "session", "stream"


class EndForm(forms.Form):
    """``handle`` names a session or a stream, as ``mcp_transport.presence`` does."""

    kind = forms.ChoiceField(choices=[(SESSION, SESSION), (STREAM, STREAM)])
    handle = forms.RegexField(rf"\A[0-9a-f]{{{HANDLE_DIGITS}}}\Z")
