"""What a file would change here, and changing it: all of it or nothing.

An entry of the file says all that there is to say: what it leaves out is reset to
the code. Entries that the file does not have stay as they are.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import router, transaction
from django.utils.translation import gettext as _

from mcp_transport.engine.entry import Entry, Kind
from tools_app.catalogue.building import Place, made, place
from tools_app.catalogue.checking import check_row, why_not_permission
from tools_app.catalogue.configured import registered
from tools_app.catalogue.entry import CatalogueEntry
from tools_app.catalogue.overriding import overridden
from tools_app.catalogue.sync import sync
from tools_app.kinds.registry import CODE, entry_kinds
from tools_app.kinds.spec import read_spec
from tools_app.transfer.document import Item


class Action(enum.StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one entry of the file.

    ``fields`` are those that change, ``problems`` why it is refused; ``row`` is the
    entry as it then is, None where it is refused.
    """

    item: Item
    action: Action
    fields: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    row: CatalogueEntry | None = None


class Refused(Exception):
    """Nothing was changed, because of some of the ``outcomes``."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__("the import was refused")
        self.outcomes = tuple(outcomes)


Record = Callable[[Outcome], None]


def preview(items: Sequence[Item], administrator: Any | None = None) -> list[Outcome]:
    """Return what an import by ``administrator`` would do; None is who runs commands,
    and may do all.
    """
    using = router.db_for_write(CatalogueEntry)
    with transaction.atomic(using=using):
        # It is done, and undone: nothing can be judged otherwise than it is done.
        outcomes = _carried_out(items, using, administrator)
        transaction.set_rollback(True, using=using)
    return outcomes


def bring_in(
    items: Sequence[Item], record: Record, administrator: Any | None = None
) -> list[Outcome]:
    """Import the items; ``record`` enters each that changes in the history.

    Raises Refused, and changes nothing, where one of them cannot be as it is.
    """
    using = router.db_for_write(CatalogueEntry)
    with transaction.atomic(using=using):
        outcomes = _carried_out(items, using, administrator)
        if any(outcome.action is Action.REFUSED for outcome in outcomes):
            raise Refused(outcomes)
        for outcome in outcomes:
            if outcome.action is not Action.UNCHANGED:
                record(outcome)
    return outcomes


def _carried_out(
    items: Sequence[Item], using: str, administrator: Any | None
) -> list[Outcome]:
    code = registered()
    sync(code.values())
    rows = CatalogueEntry.objects.using(using).filter(
        key__in=[item.key for item in items]
    )
    found = {place(row): row for row in rows.select_for_update()}
    outcomes: list[Outcome] = []
    for item in items:
        row = found.get((item.kind, item.key))
        problem = _out_of_place(item, row, code) or _beyond(item, row, administrator)
        outcomes.append(
            _one(item, row, code, using)
            if problem is None
            else Outcome(item, Action.REFUSED, problems=(problem,))
        )
    return outcomes


def _one(
    item: Item,
    row: CatalogueEntry | None,
    code: Mapping[Place, Entry],
    using: str,
) -> Outcome:
    created = row is None
    if row is None:
        row = CatalogueEntry(kind=item.kind, key=item.key, source=item.source)
    try:
        changed = tuple(_take(item, row))
        row.full_clean()
        check_row(row, lambda row: _built(row, code))
    except ValidationError as error:
        return Outcome(item, Action.REFUSED, problems=tuple(_complaints(error)))
    if not created and not changed:
        return Outcome(item, Action.UNCHANGED, row=row)
    row.save(using=using)
    action = Action.CREATED if created else Action.CHANGED
    return Outcome(item, action, changed, row=row)


def _out_of_place(
    item: Item, row: CatalogueEntry | None, code: Mapping[Place, Entry]
) -> str | None:
    """Tell why what is here under the name of the item cannot become it."""
    in_code = (item.kind, item.key) in code
    if item.source == CODE:
        if not in_code:
            return _("The code here registers no such entry.")
        if row is None or not row.is_from_code:
            return _("Here, an entry of this name was made without code.")
    elif in_code or (row is not None and row.is_from_code):
        return _("Here, code registers an entry of this name.")
    return None


def _beyond(
    item: Item, row: CatalogueEntry | None, administrator: Any | None
) -> str | None:
    """Tell why what the item says is not this administrator's to say."""
    if row is None or administrator is None:
        return None
    return why_not_permission(administrator, row, item.values["permission"])


def _take(item: Item, row: CatalogueEntry) -> Iterator[str]:
    """Give the row the values of the file; yield the names of those that differ.

    Raises ValidationError for a spec that its kind does not take.
    """
    values = {"source": item.source, **item.values}
    if item.source != CODE:
        kind = entry_kinds().get(item.source)
        if kind is None:
            text = _("There is no kind of entry %(source)s here.")
            raise ValidationError(text % {"source": item.source})
        if kind.makes != item.kind:
            text = _("%(source)s makes entries of %(makes)s.")
            raise ValidationError(text % {"source": item.source, "makes": kind.makes})
        values["spec"] = read_spec(kind, item.values["spec"])
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            yield name


def _built(row: CatalogueEntry, code: Mapping[Place, Entry]) -> Entry:
    """Return the entry that a row is, whatever is switched off: what is made of such
    a one may be imported, and is off as well. Raises ValueError.
    """
    if row.is_from_code:
        return overridden(code[place(row)], row)

    def look_up(kind: Kind, key: str) -> Entry | None:
        return code.get((kind, key))

    return made(row, look_up)


def _complaints(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        text if name == NON_FIELD_ERRORS else f"{name}: {text}"
        for name, texts in error.message_dict.items()
        for text in texts
    ]
