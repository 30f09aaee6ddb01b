"""What a kind of entry that is made in the admin, without code, has to say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django import forms
from django.utils.functional import Promise

from mcp_transport.engine.entry import Entry, Kind


class Lookup(Protocol):
    """Finds the entries that code registers, as administrators left them."""

    def __call__(self, kind: Kind, key: str) -> Entry | None:
        """Return the entry; None where it is unknown or switched off."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """An entry as it was made in the admin.

    ``key`` is a name or a URI, ``spec`` the ``cleaned_data`` of its kind's form.
    ``look_up`` finds what code registers, for entries that build upon it.
    """

    key: str
    title: str
    description: str
    spec: Mapping[str, Any]
    look_up: Lookup


class EntryKind(ABC):
    """One kind of entry that is made in the admin, without code.

    ``name`` is kept with each entry, as ``CatalogueEntry.source``; ``makes`` is
    what clients see it as. ``form`` has the fields of ``CatalogueEntry.spec``: its
    ``cleaned_data`` is JSON, and its ``clean`` says what is not acceptable.
    ``summary`` says in a sentence what is made, where the kind is chosen.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    summary: ClassVar[str | Promise] = ""
    makes: ClassVar[Kind]
    form: ClassVar[type[forms.Form]]

    @abstractmethod
    def build(self, made: Made) -> Entry:
        """Return the entry to serve.

        Raises ValueError, in plain words, where it cannot be served as it is.
        """
