"""JSON Schemas as data: what may be registered, and what is read out of it.

Nothing is ever fetched: a reference that leaves its schema is refused.

Spec: 2026-07-28 basic/index #json-schema-usage, server/tools #tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from mcp_transport.protocol.naming import check_text
from mcp_transport.protocol.wording import place, quote, shorten

Schema = dict[str, Any]
Path = tuple[str | int, ...]

MAX_DEPTH = 64
MAX_REFERENCE_DEPTH = 128
MAX_NODES = 20_000  # as written, and again with every reference replaced
MAX_REASON = 300  # characters
DIALECTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
)
REFERENCES = ("$ref", "$dynamicRef")
DEFINITIONS = frozenset(("$defs", "definitions"))
# Under these keywords a key is a name; under those stands data, no schema.
BY_NAME = DEFINITIONS.union(
    "properties patternProperties dependentSchemas dependencies".split()
)
DATA = frozenset("const enum default examples".split())
READ_BY_MODELS = ("title", "description", "$comment")

HEADER_KEYWORD = "x-mcp-header"
HEADER_TYPES = ("string", "integer", "boolean")
MASK = "the value"  # what messages say where they would repeat it
_LINEAR = jsonschema_rs.RegexOptions()
# A token of RFC 9110 section 5.6.2 without "_": WSGI servers drop such headers.
_HEADER_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")


def check_input_schema(schema: Any) -> None:
    """Raise ValueError, naming the fix, unless a tool can take this schema."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise ValueError('an input schema is an object with "type": "object"')
    _check(schema)
    header_params(schema)


def check_output_schema(schema: Any) -> None:
    """Raise ValueError, naming the fix, unless a tool can declare this schema.

    Its root may be of any type; see ``wrap_output_schema``.
    """
    if not isinstance(schema, dict):
        raise ValueError("an output schema is an object of JSON Schema keywords")
    _check(schema)


@dataclass(frozen=True, slots=True)
class HeaderParam:
    """An argument that clients also send as an HTTP header.

    ``header`` is the header's name in lower case, ``path`` leads to the
    argument, ``type`` is "string", "integer" or "boolean".
    """

    header: str
    path: tuple[str, ...]
    type: str


def header_params(schema: Schema) -> tuple[HeaderParam, ...]:
    """Return the arguments of an input schema that are mirrored in headers.

    Raises ValueError where a client would have to drop the tool.
    Spec: 2026-07-28 server/tools #x-mcp-header.
    """
    found: dict[str, HeaderParam] = {}
    for path, node in subschemas(schema):
        if HEADER_KEYWORD not in node:
            continue
        param = _header_param(path, node)
        if param.header in found:
            raise ValueError(
                f"{place(found[param.header].path)} and {place(param.path)} share the "
                f"{HEADER_KEYWORD} {quote(node[HEADER_KEYWORD])}: give each its own"
            )
        found[param.header] = param
    return tuple(found.values())


def wrap_output_schema(schema: Schema) -> Schema:
    """Return the schema of ``{"result": value}`` for a ``value`` of ``schema``.

    For revisions in which structured content is an object. Spec: SEP-2106.
    """
    inner = _moved(schema, "#/properties/result")
    inner.pop("$id", None)  # names the schema that it was, not the one it is in
    wrapped = {"$schema": inner.pop("$schema")} if "$schema" in inner else {}
    wrapped["type"] = "object"
    wrapped["properties"] = {"result": inner}
    wrapped["required"] = ["result"]
    return wrapped


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


def compile_schema(schema: Schema) -> jsonschema_rs.Validator:
    """Return a validator of ``schema``, its patterns linear in the text.

    Raises ValueError where the schema breaks the rules of its dialect, a
    reference leads nowhere or a pattern needs an engine that backtracks.
    """
    try:
        return jsonschema_rs.validator_for(
            schema, offline=True, mask=MASK, pattern_options=_LINEAR
        )
    except jsonschema_rs.ValidationError as error:
        where = place(error.instance_path) or "the root"
        reason = shorten(error.message, MAX_REASON)
        if error.kind.name == "format":
            reason += "; look-around, back-references and huge repetitions are refused"
        raise ValueError(f"not a valid schema at {where}: {reason}") from None


def compile_parts(schema: Schema) -> jsonschema_rs.ValidatorMap:
    """Return validators of the schemas in ``schema`` by their JSON pointers."""
    return jsonschema_rs.validator_map_for(
        schema, offline=True, mask=MASK, pattern_options=_LINEAR
    )


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


def _check(schema: Schema) -> None:
    _check_size(schema)
    dialect = schema.get("$schema", DIALECTS[0])
    if not isinstance(dialect, str) or dialect.removesuffix("#") not in DIALECTS:
        raise ValueError(f"unknown dialect {quote(dialect)}: use {DIALECTS[0]}")
    for path, node in subschemas(schema):
        _check_node(path, node)
    is_recursive(schema)
    compile_schema(schema)


def _check_size(schema: Schema) -> None:
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


def _check_node(path: Path, node: Schema) -> None:
    where = place(path) or "the root"
    for keyword in REFERENCES:
        target = node.get(keyword, "#")
        if not isinstance(target, str) or not target.startswith("#"):
            raise ValueError(
                f"{keyword} {quote(target)} at {where} leaves the schema: "
                "put its target under $defs"
            )
    if "$recursiveRef" in node:
        raise ValueError(f'$recursiveRef at {where}: write "$ref": "#"')
    if path and ("$id" in node or "$schema" in node):
        raise ValueError(f"$id or $schema at {where}: only the root may have them")
    for keyword in READ_BY_MODELS:
        if isinstance(node.get(keyword), str):
            check_text(node[keyword])
    for keyword in BY_NAME & node.keys():
        if isinstance(node[keyword], dict):
            for name in node[keyword]:
                check_text(name)


def _header_param(path: Path, node: Schema) -> HeaderParam:
    where = place(path) or "the root"
    name = node[HEADER_KEYWORD]
    if not isinstance(name, str) or not _HEADER_TOKEN.fullmatch(name):
        raise ValueError(
            f"{HEADER_KEYWORD} {quote(name)} at {where}: use letters, digits and hyphens"
        )
    names = tuple(str(step) for step in path[1::2])
    if not path or len(path) % 2 or set(path[::2]) != {"properties"}:
        raise ValueError(
            f"{HEADER_KEYWORD} at {where}: only a property that the root reaches "
            "through nothing but properties may have it"
        )
    kind = node.get("type")
    if kind not in HEADER_TYPES:
        raise ValueError(
            f"{HEADER_KEYWORD} at {where}: the type is {quote(kind)}, "
            f"not one of {', '.join(HEADER_TYPES)}"
        )
    return HeaderParam(f"mcp-param-{name.lower()}", names, kind)


def _moved(node: Any, base: str) -> Any:
    """Return ``node`` with the references to its root pointing to ``base``."""
    if isinstance(node, list):
        return [_moved(item, base) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {}
    for keyword, value in node.items():
        if keyword in REFERENCES and (value == "#" or str(value).startswith("#/")):
            moved[keyword] = base + value[1:]
        elif keyword in BY_NAME and isinstance(value, dict):
            moved[keyword] = {name: _moved(item, base) for name, item in value.items()}
        else:
            moved[keyword] = value if keyword in DATA else _moved(value, base)
    return moved
