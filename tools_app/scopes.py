"""The scopes that a token may be given.

Spec: 2026-07-28 basic/authorization #scope-hierarchies; RFC 6749 section 3.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

EVERYTHING = "*"

_SCOPE = re.compile(r"[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*")

SCOPES_HELP = _(
    "One per line. tools:call grants every tool that the owner may use, "
    "tools:call:NAME one tool, resources:read all resources, prompts:get all "
    "prompts, * everything. A token without scopes can do nothing."
)


def is_scope(value: object) -> bool:
    """Tell whether ``value`` is "*" or names joined by colons."""
    return isinstance(value, str) and (
        value == EVERYTHING or _SCOPE.fullmatch(value) is not None
    )


def validate_scopes(value: Any) -> None:
    """Check the JSON value of a token's scopes: a list of scopes, none twice.

    Raises:
        ValidationError: naming the entry at fault and what a scope looks like.
    """
    # None of the codes is "invalid": a field would put its own words in place.
    if not isinstance(value, list):
        raise ValidationError(_("Scopes are a list of strings."), code="not_a_list")
    for scope in value:
        if not is_scope(scope):
            raise ValidationError(
                _(
                    "%(scope)r is not a scope: write names of letters, digits, "
                    '"_", "." and "-" joined by colons, such as tools:call, or *.'
                ),
                code="not_a_scope",
                params={"scope": scope},
            )
    if len(set(value)) < len(value):
        raise ValidationError(_("A scope is listed twice."), code="repeated")


def without_repeats(scopes: Sequence[str]) -> list[str]:
    """Return ``scopes`` in the order given, each once."""
    return list(dict.fromkeys(scopes))
