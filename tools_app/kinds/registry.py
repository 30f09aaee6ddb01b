"""The kinds that there are: those of ``settings.MCP_ENTRY_KINDS``, by dotted path.

A project that has kinds of its own names them beside the ``DEFAULT``::

    from tools_app.kinds.registry import DEFAULT

    MCP_ENTRY_KINDS = [*DEFAULT, "shop.kinds.Report"]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from tools_app.kinds.kind import EntryKind

SETTING = "MCP_ENTRY_KINDS"
DEFAULT: tuple[str, ...] = (
    "tools_app.kinds.text.TextKind",
    "tools_app.kinds.file.FileKind",
    "tools_app.kinds.prompt.PromptKind",
    "tools_app.kinds.preset.PresetKind",
    "tools_app.kinds.query.QueryKind",
)
# What the entries have for a source that code registers.
CODE = "code"


@cache
def entry_kinds() -> Mapping[str, EntryKind]:
    """Return the kinds by their names, in the order of the setting.

    Raises ImproperlyConfigured for a path that names no kind, and for a name that
    is taken.
    """
    found: dict[str, EntryKind] = {}
    for path in getattr(settings, SETTING, DEFAULT):
        kind = _imported(path)
        if kind.name in found or kind.name == CODE:
            raise ImproperlyConfigured(
                f"{SETTING}: the name {kind.name!r} of {path} is taken; give the kind "
                "another name"
            )
        found[kind.name] = kind
    return MappingProxyType(found)


def _imported(path: str) -> EntryKind:
    try:
        named = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{SETTING} names {path!r}, which cannot be imported: {error}"
        ) from error
    if not (isinstance(named, type) and issubclass(named, EntryKind)):
        raise ImproperlyConfigured(
            f"{SETTING} names {path!r}, which is no class of tools_app.kinds.kind."
            "EntryKind"
        )
    made: EntryKind = named()
    return made


def _forget(*, setting: str, **_: Any) -> None:
    if setting == SETTING:
        entry_kinds.cache_clear()


setting_changed.connect(_forget, dispatch_uid="tools_app.kinds")
