"""A JSON Schema as a tree: its size, the schemas inside of it, its references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

Schema = dict[str, Any]
Path = tuple[str | int, ...]

MAX_DEPTH = 64
MAX_REFERENCE_DEPTH = 128
MAX_NODES = 20_000  # as written, and again with every reference replaced
REFERENCES = ("$ref", "$dynamicRef")
DEFINITIONS = frozenset(("$defs", "definitions"))
# Under these keywords a key is a name; under those stands data, no schema.
BY_NAME = DEFINITIONS | {
    "properties",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
}
DATA = frozenset(("const", "enum", "default", "examples"))


def subschemas(schema: Schema) -> Iterator[tuple[Path, Schema]]:
    """Yield every schema in ``schema``, itself first, with the path to it.

    What stands under an unknown keyword counts as a schema too, since a
    reference may point there.
    """
    waiting: list[tuple[Path, Any]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, list):
            items = [((*path, n), item) for n, item in enumerate(node)]
            waiting.extend(reversed(items))
        elif isinstance(node, dict):
            yield path, node
            for keyword, value in reversed(node.items()):
                if keyword in BY_NAME and isinstance(value, dict):
                    named = [((*path, keyword, n), v) for n, v in value.items()]
                    waiting.extend(reversed(named))
                elif keyword not in DATA:
                    waiting.append(((*path, keyword), value))


def check_size(schema: Schema) -> None:
    """Raise ValueError for a schema that is too large or too deep."""
    nodes = 0
    level: list[Any] = [schema]
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise ValueError(f"the schema has more than {MAX_NODES} nodes: simplify it")
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise ValueError(f"the schema is nested deeper than {MAX_DEPTH}: use $defs")


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        if not all(isinstance(key, str) for key in node):
            raise ValueError("the keys of a schema are strings")
        return node.values()
    return node if isinstance(node, list) else ()


def moved(node: Any, base: str) -> Any:
    """Return ``node`` with the references to its root pointing to ``base``."""
    if isinstance(node, list):
        return [moved(item, base) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for keyword, value in node.items():
        if keyword in REFERENCES and (value == "#" or str(value).startswith("#/")):
            result[keyword] = base + value[1:]
        elif keyword in BY_NAME and isinstance(value, dict):
            result[keyword] = {name: moved(item, base) for name, item in value.items()}
        else:
            result[keyword] = value if keyword in DATA else moved(value, base)
    return result


def is_recursive(schema: Schema) -> bool:
    """Tell whether a schema of ``schema`` refers to itself.

    Raises ValueError where replacing all references would make the schema
    too large, because that is the work which validation has to do.
    """
    expansion = _Expansion(schema)
    if expansion.size(schema, 0) > MAX_NODES:
        raise ValueError(
            f"with its references replaced the schema has more than {MAX_NODES} "
            "nodes: refer to fewer schemas that refer to others"
        )
    return expansion.recursive


class _Expansion:
    """Counts the nodes of a schema as if its references were replaced."""

    def __init__(self, schema: Schema) -> None:
        self.recursive = False
        self._root = schema
        self._sizes: dict[int, int | None] = {}
        self._anchors = {
            f"#{node[keyword]}": node
            for _, node in subschemas(schema)
            for keyword in ("$anchor", "$dynamicAnchor")
            if isinstance(node.get(keyword), str)
        }

    def size(self, node: Any, depth: int) -> int:
        if depth > MAX_REFERENCE_DEPTH:
            raise ValueError(
                f"references lead deeper than {MAX_REFERENCE_DEPTH} levels"
            )
        if isinstance(node, list):
            return sum(self.size(item, depth + 1) for item in node)
        if not isinstance(node, dict):
            return 1
        if id(node) not in self._sizes:
            self._sizes[id(node)] = None
            parts = self._parts(node)
            self._sizes[id(node)] = 1 + sum(self.size(p, depth + 1) for p in parts)
        known = self._sizes[id(node)]
        if known is None:  # being counted: it was met inside of itself
            self.recursive = True
            return 1
        return known

    def _parts(self, node: Schema) -> Iterator[Any]:
        for keyword, value in node.items():
            if keyword in REFERENCES:
                yield self._anchors.get(value) or _resolve(self._root, value)
            elif keyword in BY_NAME and isinstance(value, dict):
                if keyword not in DEFINITIONS:
                    yield from value.values()
            elif keyword not in DATA:
                yield value


def _resolve(schema: Schema, reference: str) -> Any:
    node: Any = schema
    for part in unquote(reference).split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node
