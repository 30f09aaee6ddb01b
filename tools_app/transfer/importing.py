"""What a file would change here, and changing it: all of it or nothing.

An entry of the file says all that there is to say: what it leaves out is reset to
the code. Entries that the file does not have stay as they are.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import router, transaction
from django.utils.translation import gettext as _

from mcp_transport.engine.entry import Entry, Kind
from tools_app.catalogue.building import Place, made, place
from tools_app.catalogue.entry import CatalogueEntry
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


def preview(items: Sequence[Item], code: Iterable[Entry]) -> list[Outcome]:
    """Return what an import would do. ``code`` is what code registers here."""
    using = router.db_for_write(CatalogueEntry)
    with transaction.atomic(using=using):
        # It is done, and undone: nothing can be judged otherwise than it is done.
        outcomes = _carried_out(items, code, using)
        transaction.set_rollback(True, using=using)
    return outcomes


def bring_in(
    items: Sequence[Item], code: Iterable[Entry], record: Record
) -> list[Outcome]:
    """Import the items; ``record`` enters each that changes in the history.

    Raises Refused, and changes nothing, where one of them cannot be as it is.
    """
    using = router.db_for_write(CatalogueEntry)
    with transaction.atomic(using=using):
        outcomes = _carried_out(items, code, using)
        if any(outcome.action is Action.REFUSED for outcome in outcomes):
            raise Refused(outcomes)
        for outcome in outcomes:
            if outcome.action is not Action.UNCHANGED:
                record(outcome)
    return outcomes


def _carried_out(
    items: Sequence[Item], code: Iterable[Entry], using: str
) -> list[Outcome]:
    registered = {(entry.kind, entry.key): entry for entry in code}
    sync(registered.values())
    rows = CatalogueEntry.objects.using(using).filter(
        key__in=[item.key for item in items]
    )
    found = {place(row): row for row in rows.select_for_update()}
    return [
        _one(item, found.get((item.kind, item.key)), registered, using)
        for item in items
    ]


def _one(
    item: Item,
    row: CatalogueEntry | None,
    registered: Mapping[Place, Entry],
    using: str,
) -> Outcome:
    problem = _out_of_place(item, row, registered)
    if problem is not None:
        return Outcome(item, Action.REFUSED, problems=(problem,))
    created = row is None
    if row is None:
        row = CatalogueEntry(kind=item.kind, key=item.key, source=item.source)
    try:
        changed = tuple(_take(item, row))
        row.full_clean()
        if item.source != CODE:
            _check_made(row, registered)
    except ValidationError as error:
        return Outcome(item, Action.REFUSED, problems=tuple(_complaints(error)))
    if not created and not changed:
        return Outcome(item, Action.UNCHANGED, row=row)
    row.save(using=using)
    action = Action.CREATED if created else Action.CHANGED
    return Outcome(item, action, changed, row=row)


def _out_of_place(
    item: Item, row: CatalogueEntry | None, registered: Mapping[Place, Entry]
) -> str | None:
    """Tell why what is here under the name of the item cannot become it."""
    in_code = (item.kind, item.key) in registered
    if item.source == CODE:
        if not in_code:
            return _("The code here registers no such entry.")
        if row is None or not row.is_from_code:
            return _("Here, an entry of this name was made without code.")
    elif in_code or (row is not None and row.is_from_code):
        return _("Here, code registers an entry of this name.")
    return None


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
        values["spec"] = read_spec(kind, item.values["spec"])
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            yield name


def _check_made(row: CatalogueEntry, registered: Mapping[Place, Entry]) -> None:
    """Raises ValidationError for an entry that its kind cannot make."""

    def look_up(kind: Kind, key: str) -> Entry | None:
        # One that is switched off is there too: what it is made of is off as well.
        return registered.get((kind, key))

    try:
        made(row, look_up)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _complaints(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        text if name == NON_FIELD_ERRORS else f"{name}: {text}"
        for name, texts in error.message_dict.items()
        for text in texts
    ]
