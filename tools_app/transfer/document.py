"""The file: its format, written and strictly read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

from mcp_transport.engine.catalogue import KINDS
from mcp_transport.engine.entry import Kind
from tools_app.catalogue.entry import OVERRIDES, CatalogueEntry
from tools_app.kinds.registry import CODE

FORMAT = "mcp-catalogue"
VERSION = 1
# So much of a form Django reads unless told otherwise.
MAX_BYTES = 2_097_152
MAX_ENTRIES = 10_000

Json = dict[str, Any]

# What an entry may say of itself, each with what it says where it is left out.
MEMBERS: Mapping[str, Any] = {"enabled": True, **OVERRIDES, "spec": {}}
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "kind": ((str,), "a text"),
    "key": ((str,), "a text"),
    "source": ((str,), "a text"),
    "enabled": ((bool,), "true or false"),
    "title": ((str,), "a text"),
    "description": ((str,), "a text"),
    "argument_descriptions": ((dict,), "an object"),
    "tags": ((list, type(None)), "a list or null"),
    "permission": ((str,), "a text"),
    "scope": ((str,), "a text"),
    "rate": ((str,), "a text"),
    "timeout_s": ((int, float, type(None)), "a number or null"),
    "visibility": ((str,), "a text"),
    "annotations": ((dict, type(None)), "an object or null"),
    "spec": ((dict,), "an object"),
}
_NEEDED = ("kind", "key", "source")


class BadDocument(ValueError):
    """The file is none of ours; ``problems`` says why, each in a sentence."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the file. ``values`` has all of MEMBERS."""

    kind: Kind
    key: str
    source: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


def exported(rows: Iterable[CatalogueEntry]) -> Json:
    """Return the rows as the file has them, in the order of the catalogue."""
    ordered = sorted(rows, key=lambda row: (row.kind, row.key))
    return {"format": FORMAT, "version": VERSION, "entries": [*map(_entry, ordered)]}


def written(document: Json) -> str:
    """Return the text of the file, which people and version control can compare."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(data: bytes) -> list[Item]:
    """Return the entries of a file. Raises BadDocument, naming all that is wrong."""
    entries = _entries(_parsed(data))
    problems = [
        f"entry {number}{_named(entry)}: {problem}"
        for number, entry in enumerate(entries, 1)
        for problem in _problems(entry)
    ]
    if problems:
        raise BadDocument(*problems)
    items = [_item(entry) for entry in entries]
    times = Counter(str(item) for item in items)
    repeated = [name for name, count in times.items() if count > 1]
    if repeated:
        raise BadDocument(*(f"{name} is there more than once." for name in repeated))
    return items


def _entry(row: CatalogueEntry) -> Json:
    said = {name: getattr(row, name) for name in MEMBERS}
    return {
        **{name: getattr(row, name) for name in _NEEDED},
        **{name: value for name, value in said.items() if value != MEMBERS[name]},
    }


def _item(entry: Json) -> Item:
    values = {name: entry.get(name, same) for name, same in MEMBERS.items()}
    return Item(cast(Kind, entry["kind"]), entry["key"], entry["source"], values)


def _problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["it is no object."]
    found = [f"it has no {name}." for name in _NEEDED if name not in entry]
    for name, value in entry.items():
        types, said = _TYPES.get(name, ((), ""))
        if not types:
            found.append(f"there is no member {name!r}.")
        elif not isinstance(value, types) or (
            isinstance(value, bool) and bool not in types
        ):
            found.append(f"{name} must be {said}.")
        elif isinstance(value, int | float) and not _is_number(value):
            found.append(f"{name} is too large a number.")
    if not found and entry["kind"] not in KINDS:
        found.append(f"kind is one of {', '.join(KINDS)}.")
    if not found and entry["source"] == CODE and "spec" in entry:
        found.append("an entry of code has no spec.")
    return found


def _entries(document: Any) -> list[Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadDocument(
            f'This is no export of a catalogue: it has no "format": "{FORMAT}".'
        )
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise BadDocument(f"Its version is not {VERSION}, which is what can be read.")
    if set(document) != {"format", "version", "entries"}:
        raise BadDocument("It has format, version and entries, and nothing else.")
    entries = document["entries"]
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise BadDocument(f"Its entries are a list of {MAX_ENTRIES} at most.")
    return entries


def _named(entry: Any) -> str:
    key = entry.get("key") if isinstance(entry, dict) else None
    return f" ({key[:80]})" if isinstance(key, str) else ""


def _parsed(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise BadDocument(f"The file has more than {MAX_BYTES} bytes.")
    try:
        document = json.loads(
            data.decode(), object_pairs_hook=_object, parse_constant=_no_number
        )
        # As a lone surrogate, which has no bytes.
        written(document).encode()
        return document
    except UnicodeEncodeError:
        raise BadDocument("The file has text that is not Unicode.") from None
    except UnicodeDecodeError:
        raise BadDocument("The file is not UTF-8.") from None
    except RecursionError:
        raise BadDocument("The file is nested too deeply.") from None
    except ValueError as error:
        raise BadDocument(f"The file is not JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _is_number(value: Any) -> bool:
    """Tell whether a database can keep it as a number."""
    try:
        return isfinite(value)
    except OverflowError:
        return False
