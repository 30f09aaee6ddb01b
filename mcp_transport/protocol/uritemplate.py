"""URI templates of levels 1 and 2: ``{var}``, ``{+var}`` and ``{#var}``.

Matching is a fixed number of substring searches that never go back, so it is
linear in the URI whatever the template. Spec: RFC 6570 sections 1.2 and 3.2;
RFC 3986 sections 2 and 5.2.4; 2026-07-28 server/resources.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

MAX_URI_CHARS: Final = 2_048
"""Longer URIs never match."""

_RESERVED: Final = ":/?#[]@!$&'()*+,;="
_EXPRESSION: Final = re.compile(r"\{([^{}]*)\}")
_VARIABLE: Final = re.compile(
    r"([+#]?)((?:\w|%[0-9A-F]{2})(?:\.?(?:\w|%[0-9A-F]{2}))*)", re.ASCII | re.I
)
_LITERAL: Final = re.compile(r"""[^\x00-\x20\x7f-\x9f"<>\\^`{|}%]*""")

# A percent-encoded byte is folded into one character above ASCII, so that a
# search can neither split it nor mistake "%2F" for the letters "2F".
_FOLD: Final = 0xE000
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNFOLD: Final = {_FOLD + byte: byte for byte in range(256)}
_SIMPLE_VALUE: Final = re.compile(r"[A-Za-z0-9._~\-\ue000-\ue0ff]+")
_RESERVED_VALUE: Final = re.compile(
    r"[A-Za-z0-9._~\-\ue000-\ue0ff" + re.escape(_RESERVED) + "]+"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SEPARATOR: Final = re.compile(r"[/\\]")


class UriTemplate:
    """One template, checked when it is made.

    ``{var}`` stands for one or more characters without ``/`` or another
    reserved character, unless percent-encoded; ``{+var}`` for any run of URI
    characters; ``{#var}`` for ``#`` and such a run. A literal between two
    variables that may also occur in their values, as in ``{a}-{b}``, is taken
    where the ``{+var}``, or else the last variable, has most.

    Raises ValueError, naming the fix, for what cannot be matched in one way:
    adjacent variables, two ``{+var}``, a name that repeats; and for what is no
    template of these levels.
    """

    def __init__(self, template: str) -> None:
        self.template = template
        if len(template) > MAX_URI_CHARS:
            raise ValueError(f"A URI template has at most {MAX_URI_CHARS} characters")
        pieces = _EXPRESSION.split(template)
        literals = [_literal(template, text) for text in pieces[::2]]
        expressions = [_variable(template, text) for text in pieces[1::2]]
        for index, (operator, _) in enumerate(expressions):
            if operator == "#":
                literals[index] += "#"
        self.variables: tuple[str, ...] = tuple(name for _, name in expressions)
        self._operators = tuple(operator for operator, _ in expressions)
        self._literals = tuple(literals)
        self._check()
        # The one variable that takes what the others, matched from both ends
        # towards it and each as short as can be, leave over.
        self._pivot = next(
            (at for at, operator in enumerate(self._operators) if operator),
            len(self.variables) - 1,
        )

    def __repr__(self) -> str:
        return f"UriTemplate({self.template!r})"

    @property
    def specificity(self) -> tuple[int, int, int]:
        """A key by which the template that says more about a URI sorts higher:
        more literal characters, then fewer variables, then no ``{+var}``."""
        literal = sum(map(len, self._literals))
        return literal, -len(self.variables), -sum(map(bool, self._operators))

    def match(self, uri: str) -> dict[str, str] | None:
        """Return the decoded value of each variable, or None.

        A value is never empty, never holds control characters and never has a
        segment ``.`` or ``..``, encoded or not: a URI with those is equivalent
        to another one, and a file path with those leaves its folder.
        """
        if len(uri) > MAX_URI_CHARS or not uri.isascii():
            return None
        spans = self._spans(_fold(uri))
        if spans is None:
            return None
        values: dict[str, str] = {}
        for name, operator, span in zip(
            self.variables, self._operators, spans, strict=True
        ):
            value = _decoded(span, _RESERVED_VALUE if operator else _SIMPLE_VALUE)
            if value is None:
                return None
            values[name] = value
        return values

    def expand(self, **values: str) -> str:
        """Return the URI in which ``match`` finds exactly these values.

        Raises ValueError when there is none: a variable missing or unknown, a
        value that ``match`` never returns or would divide at another place.
        """
        if values.keys() != set(self.variables):
            raise ValueError(f"{self.template} needs values for {self.variables}")
        parts = [self._literals[0]]
        for name, operator, literal in zip(
            self.variables, self._operators, self._literals[1:], strict=True
        ):
            safe = _RESERVED if operator else ""
            parts += (quote(values[name], safe=safe), literal)
        uri = "".join(map(_unfold, parts))
        if self.match(uri) != values:
            raise ValueError(f"{self.template} cannot carry {values}")
        return uri

    def _check(self) -> None:
        if not self.variables:
            raise ValueError(f"{self.template} has no variable: it is a plain URI")
        if len(set(self.variables)) < len(self.variables):
            raise ValueError(f"{self.template} repeats a variable: rename one")
        if "" in self._literals[1:-1]:
            raise ValueError(
                f"{self.template} has adjacent variables: put a literal such as "
                "'/' between them"
            )
        if sum(map(bool, self._operators)) > 1:
            raise ValueError(
                f"{self.template} has two variables that may hold anything: keep "
                "one {+var} or {#var} and write the others as {var}"
            )

    def _spans(self, uri: str) -> list[str] | None:
        """Cut a folded URI into one span per variable."""
        start, end = len(self._literals[0]), len(uri) - len(self._literals[-1])
        if not uri.startswith(self._literals[0]):
            return None
        if not uri.endswith(self._literals[-1]):
            return None
        before: list[str] = []
        for literal in self._literals[1 : self._pivot + 1]:
            at = uri.find(literal, start + 1, end)
            if at < 0:
                return None
            before.append(uri[start:at])
            start = at + len(literal)
        after: list[str] = []
        for literal in reversed(self._literals[self._pivot + 1 : -1]):
            at = uri.rfind(literal, start, end - 1)
            if at < 0:
                return None
            after.append(uri[at + len(literal) : end])
            end = at
        return [*before, uri[start:end], *reversed(after)]


def _literal(template: str, text: str) -> str:
    folded = _fold(text)
    if not _LITERAL.fullmatch(folded):
        raise ValueError(f"{template} has characters that no URI may hold: {text!r}")
    return _fold(quote(text, safe=_RESERVED + "%~"))


def _variable(template: str, text: str) -> tuple[str, str]:
    found = _VARIABLE.fullmatch(text)
    if not found:
        raise ValueError(
            f"{template}: {{{text}}} is not supported; write {{var}}, {{+var}} or "
            "{#var}, each with one name"
        )
    return found[1], found[2]


def _decoded(span: str, allowed: re.Pattern[str]) -> str | None:
    if not allowed.fullmatch(span):
        return None
    try:
        value = span.translate(_UNFOLD).encode("latin-1").decode()
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(value) or not {".", ".."}.isdisjoint(_SEPARATOR.split(value)):
        return None
    return value


def _fold(text: str) -> str:
    return _ENCODED.sub(lambda found: chr(_FOLD + int(found[1], 16)), text)


def _unfold(text: str) -> str:
    return re.sub(
        "[\ue000-\ue0ff]", lambda found: f"%{ord(found[0]) - _FOLD:02X}", text
    )
