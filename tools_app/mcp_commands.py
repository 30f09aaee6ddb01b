"""``manage.py mcp prune``, which tools_app.ledger.commands is, and ``manage.py mcp
tokens``: issue, list, rotate and revoke tokens.

``create`` and ``rotate`` write the token to standard output, alone on its line,
and what is said about it to standard error, so that a script can take the one.
Who runs a command is no user of the site, so what it changes is not in the
admin's history but in the log, under ``tools_app.tokens``.
"""

from __future__ import annotations

import json
import logging
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from mcp_transport.callers import active_user
from mcp_transport.table import table
from tools_app.catalogue import commands
from tools_app.credential import PREFIX
from tools_app.ledger import commands as ledger_commands
from tools_app.models import LIFETIME, MAX_OVERLAP, OVERLAP, Token
from tools_app.scopes import without_repeats
from tools_app.transfer import commands as transfer

if TYPE_CHECKING:
    from argparse import _SubParsersAction

# What the table of tokens shows of each.
COLUMNS = (
    "public_id",
    "state",
    "name",
    "owner",
    "scopes",
    "expires_at",
    "old_secret_until",
)
MAX_DAYS = 3650
MAX_CALLS = 10_000
HOUR = timedelta(hours=1)

logger = logging.getLogger("tools_app.tokens")


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    ledger_commands.register(subparsers)
    tokens = subparsers.add_parser(
        "tokens", help="Issue, list, rotate and revoke tokens."
    )
    actions = tokens.add_subparsers(metavar="ACTION", required=True)
    _add_create(actions.add_parser("create", help="Issue a token and print it."))
    list_parser = actions.add_parser("list", help="List the tokens, newest first.")
    list_parser.add_argument(
        "--json",
        action="store_const",
        const=write_json,
        default=write_table,
        dest="write",
        help="As a JSON array.",
    )
    list_parser.set_defaults(run=list_tokens)
    rotate_parser = actions.add_parser(
        "rotate", help="Give a token a new secret and print it; the old one works on."
    )
    most = MAX_OVERLAP // HOUR
    rotate_parser.add_argument(
        "--overlap-hours",
        type=_whole("hours", 0, most),
        metavar="HOURS",
        default=OVERLAP // HOUR,
        help=f"How long the old secret works on, 0 to {most}; "
        f"{OVERLAP // HOUR} unless given.",
    )
    rotate_parser.set_defaults(run=rotate)
    end_parser = actions.add_parser(
        "end-old-secret", help="Refuse the secret before the last rotation."
    )
    end_parser.set_defaults(run=end_old_secret)
    revoke_parser = actions.add_parser("revoke", help="Withdraw a token for good.")
    revoke_parser.set_defaults(run=revoke)
    for parser in (rotate_parser, end_parser, revoke_parser):
        parser.add_argument("public_id", help="As listed, with or without mcp_.")
    commands.register(subparsers)
    transfer.register(subparsers)


def _add_create(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="Where the token is used.")
    parser.add_argument(
        "--user", required=True, help="The user as whom calls are made, by user name."
    )
    _add_words(
        parser,
        "--scope",
        "scopes",
        "tools:call, tools:call:NAME, resources:read, prompts:get or '*'.",
    )
    parser.add_argument(
        "--expires-days",
        type=_whole("days", 1, MAX_DAYS),
        metavar="DAYS",
        default=LIFETIME.days,
        help=f"From now, 1 to {MAX_DAYS}; {LIFETIME.days} unless given.",
    )
    _add_words(parser, "--tool", "allowed_tools", "The only tools; else by scope.")
    _add_words(
        parser, "--network", "networks", "Where it may be used, such as 192.0.2.0/24."
    )
    parser.add_argument("--rate", default="", help="How often, such as 60/m.")
    parser.add_argument(
        "--max-calls",
        type=_whole("calls", 1, MAX_CALLS),
        metavar="CALLS",
        help="How many may run at a time in one server process.",
    )
    parser.add_argument("--notes", default="", help="Kept with the token.")
    parser.set_defaults(run=create)


def _add_words(parser: ArgumentParser, option: str, field: str, said: str) -> None:
    """Add an option that may be given several times, with several words each."""
    parser.add_argument(
        option,
        dest=field,
        metavar=option.removeprefix("--").upper(),
        action="extend",
        nargs="+",
        default=[],
        help=said,
    )


@sensitive_variables("text")
def create(command: BaseCommand, options: dict[str, Any]) -> None:
    if not options["scopes"]:
        raise CommandError(
            "A token without scopes can do nothing. Give --scope, for example "
            "--scope tools:call, or --scope '*' for everything that the user may do."
        )
    user = active_user(options["user"])
    try:
        token, text = Token.objects.issue(
            name=options["name"],
            owner=user,
            scopes=without_repeats(options["scopes"]),
            expires_at=timezone.now() + timedelta(days=options["expires_days"]),
            notes=options["notes"],
            allowed_tools=without_repeats(options["allowed_tools"]),
            rate=options["rate"],
            max_calls=options["max_calls"],
            networks=without_repeats(options["networks"]),
        )
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    _log(token, f"issued to act as {user} with {', '.join(token.scopes)}")
    command.stderr.write(
        f"Token {token} acts as {user}, grants {', '.join(token.scopes)} and "
        f"expires {_moment(token.expires_at)}. "
        "It is shown this once and kept nowhere:",
        command.style.SUCCESS,
    )
    command.stdout.write(text)


def list_tokens(command: BaseCommand, options: dict[str, Any]) -> None:
    rows = [_row(token) for token in Token.objects.select_related("owner")]
    options["write"](command, rows)


@sensitive_variables("text")
def rotate(command: BaseCommand, options: dict[str, Any]) -> None:
    token = _token(options["public_id"])
    try:
        text = token.rotate(options["overlap_hours"] * HOUR)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    until = token.old_secret_until
    old = f"works until {_moment(until)}" if until else "has ended"
    _log(token, f"rotated and the old secret {old}")
    command.stderr.write(
        f"{token} has a new secret; the old one {old}. "
        "It is shown this once and kept nowhere:",
        command.style.SUCCESS,
    )
    command.stdout.write(text)


def end_old_secret(command: BaseCommand, options: dict[str, Any]) -> None:
    token = _token(options["public_id"])
    if token.old_secret_until is None:
        raise CommandError(f"{token} has no old secret that works.")
    token.end_old_secret()
    _log(token, "left with its new secret alone")
    command.stdout.write(
        f"The old secret of {token} has ended. Running servers refuse it within "
        "5 seconds."
    )


def revoke(command: BaseCommand, options: dict[str, Any]) -> None:
    token = _token(options["public_id"])
    token.revoke()
    _log(token, "revoked")
    command.stdout.write(
        f"{token} is revoked. Running servers refuse it within 5 seconds."
    )


def _token(given: str) -> Token:
    public_id = given.removeprefix(PREFIX)
    token = Token.objects.filter(public_id=public_id).first()
    if token is None:
        raise CommandError(
            f'There is no token "{public_id}". See the public ids with: '
            "manage.py mcp tokens list"
        )
    return token


def _log(token: Token, done: str) -> None:
    logger.info("By command, token %s was %s.", token.identifier, done)


def write_json(command: BaseCommand, rows: list[dict[str, Any]]) -> None:
    command.stdout.write(json.dumps(rows, indent=2))


def write_table(command: BaseCommand, rows: list[dict[str, Any]]) -> None:
    cells = [[_cell(row[column]) for column in COLUMNS] for row in rows]
    for line in table(COLUMNS, cells):
        command.stdout.write(line)


def _cell(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else value or ""


def _row(token: Token) -> dict[str, Any]:
    return {
        "public_id": token.public_id,
        "name": token.name,
        "owner": token.owner.get_username(),
        "scopes": token.scopes,
        "state": token.state.value,
        "created_at": _moment(token.created_at),
        "expires_at": _moment(token.expires_at),
        "last_used_at": _moment(token.last_used_at),
        "revoked_at": _moment(token.revoked_at),
        "old_secret_until": _moment(token.old_secret_until),
        "old_secret_last_used_at": _moment(token.previous_last_used_at),
        "tools": token.allowed_tools,
        "rate": token.rate or None,
        "max_calls": token.max_calls,
        "networks": token.networks,
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def _whole(what: str, least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number within bounds."""

    def read(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if digits and least <= int(text) <= most:
            return int(text)
        raise ArgumentTypeError(f"give a whole number of {what} from {least} to {most}")

    return read
