"""``settings.MCP_LEDGER``, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MAX_RETENTION_DAYS = 36_500
# As much of the arguments as a row may have, whatever the settings say.
MAX_BYTES = 1_048_576


@dataclass(frozen=True, kw_only=True)
class Options:
    """The settings, by the lower-case names of their keys.

    ``redact`` has names of tools, resources and prompts, and for each the names of
    arguments whose values are not kept; both are patterns as in a shell.
    ``max_arguments_bytes`` bounds what a row keeps of all arguments, as JSON.
    ``retention_days`` is what ``manage.py mcp prune`` leaves unless told otherwise.
    """

    redact: Mapping[str, list[str]] = field(default_factory=dict)
    max_arguments_bytes: int = 2048
    retention_days: int = 90


_RANGES = {
    "MAX_ARGUMENTS_BYTES": (64, MAX_BYTES),
    "RETENTION_DAYS": (1, MAX_RETENTION_DAYS),
}
_KEYS = ("REDACT", *_RANGES)


def read(given: Any) -> tuple[Options, list[str]]:
    """Return the options in ``given`` and what is wrong with the rest."""
    if not isinstance(given, Mapping):
        return Options(), ["MCP_LEDGER must be a dictionary"]
    taken: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in given.items():
        problem = _problem(key, value)
        if problem is None:
            taken[key.lower()] = value
        else:
            problems.append(problem)
    return Options(**taken), problems


def _problem(key: Any, value: Any) -> str | None:
    if key in _RANGES:
        least, most = _RANGES[key]
        if type(value) is not int or not least <= value <= most:
            return f'MCP_LEDGER["{key}"] must be a number from {least} to {most}'
    elif key == "REDACT":
        if not (isinstance(value, Mapping) and all(map(_is_rule, value.items()))):
            return (
                'MCP_LEDGER["REDACT"] must be a dictionary from names of tools to '
                'lists of names of arguments, such as {"pay": ["iban"]}'
            )
    else:
        return f'MCP_LEDGER["{key}"] is unknown; there are {", ".join(_KEYS)}'
    return None


def _is_rule(rule: tuple[Any, Any]) -> bool:
    name, keys = rule
    return (
        isinstance(name, str)
        and isinstance(keys, list)
        and all(isinstance(key, str) for key in keys)
    )


def read_settings() -> tuple[Options, list[str]]:
    """Return the project's options as far as they are right, and what is not."""
    return read(getattr(settings, "MCP_LEDGER", {}))


def get_options() -> Options:
    """Raises ImproperlyConfigured, naming everything that is wrong."""
    options, problems = read_settings()
    if problems:
        raise ImproperlyConfigured("; ".join(problems))
    return options
