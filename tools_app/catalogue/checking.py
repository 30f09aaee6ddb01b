"""What has to be right about a row as a whole, before it is saved.

Whoever takes a row from a person asks for it: the admin, REST, an import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from mcp_transport.engine.entry import Entry
from mcp_transport.engine.tool import HINTS
from mcp_transport.protocol.naming import check_name, check_text
from mcp_transport.protocol.uritemplate import UriTemplate
from tools_app.catalogue.building import place
from tools_app.catalogue.configured import entry_of, registered
from tools_app.catalogue.entry import OVERRIDES, CatalogueEntry
from tools_app.catalogue.overriding import arguments

_OF_RESOURCES = ("audience", "priority")
# What may be said of entries of each kind, beside what may be said of all.
ANNOTATIONS: dict[str, tuple[str, ...]] = {
    "tools": HINTS,
    "resources": _OF_RESOURCES,
    "templates": _OF_RESOURCES,
    "prompts": (),
}
OF_TOOLS = ("rate", "timeout_s")
WITH_ARGUMENTS = ("tools", "prompts")
_KEYS: dict[str, Callable[[str], Any]] = {
    "tools": check_name,
    "prompts": check_name,
    "resources": check_text,
    "templates": UriTemplate,
}


def check_row(
    row: CatalogueEntry, build: Callable[[CatalogueEntry], Entry] = entry_of
) -> None:
    """Raises ValidationError, by field, unless the row can be served.

    ``build`` returns the entry that a row is, or raises ValueError.
    """
    errors: dict[str, Any] = {}
    if not row.is_from_code:
        errors.update(_of_key(row))
    errors.update(_of_kind(row))
    if errors:
        raise ValidationError(errors)
    if row.is_from_code and place(row) not in registered():
        return  # what is said of it counts when its code is back
    try:
        entry = build(row)
    except ValueError as error:
        raise ValidationError(str(error), code="not_servable") from None
    unknown = row.argument_descriptions.keys() - arguments(entry).keys()
    if unknown:
        raise ValidationError(
            {
                "argument_descriptions": _("There is no argument %(names)s.")
                % {"names": ", ".join(sorted(unknown))}
            }
        )


def why_not_permission(
    administrator: Any, row: CatalogueEntry, permission: str
) -> str | None:
    """Say why an administrator may not have ``row``, which is as it was, ask for
    ``permission`` (blank: what its code asks for); None where it is allowed.

    Nobody gains rights by it: to put another in the place of a permission is to use
    what it guards.
    """
    now = row.needed_permission
    after = permission or row.code.get("permission") or ""
    if now in ("", after) or administrator.has_perm(now):
        return None
    return _("Only who has the permission %(now)s may put another in its place.") % {
        "now": now
    }


def _of_key(row: CatalogueEntry) -> dict[str, Any]:
    try:
        _KEYS[row.kind](row.key)
    except ValueError as error:
        return {"key": str(error)}
    others = CatalogueEntry.objects.filter(kind=row.kind, key=row.key)
    if place(row) in registered() or others.exclude(pk=row.pk).exists():
        return {"key": _("There is an entry of this name already.")}
    return {}


def _of_kind(row: CatalogueEntry) -> dict[str, Any]:
    errors: dict[str, Any] = {}
    names = set() if row.kind == "tools" else set(OF_TOOLS)
    if row.kind not in WITH_ARGUMENTS:
        names.add("argument_descriptions")
    for name in names:
        if getattr(row, name) != OVERRIDES[name]:
            errors[name] = _("An entry of this kind has none.")
    unknown = (row.annotations or {}).keys() - set(ANNOTATIONS[row.kind])
    if unknown:
        errors["annotations"] = _("There is no %(names)s for entries of this kind.") % {
            "names": ", ".join(sorted(unknown))
        }
    return errors
