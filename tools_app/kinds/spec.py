"""The spec of an entry that comes from elsewhere than the page of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext

from tools_app.kinds.kind import EntryKind


def read_spec(kind: EntryKind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``spec`` as the form of the kind cleans it.

    Raises ValidationError, whose messages begin with the name of the member, for
    what the form refuses or does not know.
    """
    form = kind.form(dict(spec))
    complaints = [
        gettext("spec.%(name)s: there is no such member") % {"name": name}
        for name in sorted(set(spec) - set(form.fields))
    ]
    for name, errors in form.errors.items():
        where = "spec" if name == NON_FIELD_ERRORS else f"spec.{name}"
        complaints += [f"{where}: {error}" for error in errors]
    if complaints:
        raise ValidationError([ValidationError(text) for text in complaints])
    return form.cleaned_data
