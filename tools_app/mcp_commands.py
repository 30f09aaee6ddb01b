"""``manage.py mcp tokens``: issue, list and revoke tokens.

``create`` writes the token to standard output, alone on its line, and what is
said about it to standard error, so that a script can take the one.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mcp_transport.mcp_commands import active_user
from tools_app.credential import PREFIX
from tools_app.models import LIFETIME, Token
from tools_app.scopes import without_repeats

if TYPE_CHECKING:
    from argparse import _SubParsersAction

MAX_DAYS = 3650


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    tokens = subparsers.add_parser("tokens", help="Issue, list and revoke tokens.")
    actions = tokens.add_subparsers(metavar="ACTION", required=True)
    create_parser = actions.add_parser("create", help="Issue a token and print it.")
    create_parser.add_argument("name", help="Where the token is used.")
    create_parser.add_argument(
        "--user", required=True, help="The user as whom calls are made, by user name."
    )
    create_parser.add_argument(
        "--scope",
        dest="scopes",
        metavar="SCOPE",
        action="extend",
        nargs="+",
        default=[],
        help="tools:call, tools:call:NAME, resources:read, prompts:get or '*'.",
    )
    create_parser.add_argument(
        "--expires-days",
        type=_days,
        metavar="DAYS",
        default=LIFETIME.days,
        help=f"From now, 1 to {MAX_DAYS}; {LIFETIME.days} unless given.",
    )
    create_parser.add_argument("--notes", default="", help="Kept with the token.")
    create_parser.set_defaults(run=create)
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
    revoke_parser = actions.add_parser("revoke", help="Withdraw a token for good.")
    revoke_parser.add_argument("public_id", help="As listed, with or without mcp_.")
    revoke_parser.set_defaults(run=revoke)


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
        )
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    command.stderr.write(
        f"Token {token} acts as {user}, grants {', '.join(token.scopes)} and "
        f"expires {token.expires_at.isoformat(timespec='seconds')}. "
        "It is shown this once and kept nowhere:",
        command.style.SUCCESS,
    )
    command.stdout.write(text)


def list_tokens(command: BaseCommand, options: dict[str, Any]) -> None:
    rows = [_row(token) for token in Token.objects.select_related("owner")]
    options["write"](command, rows)


def revoke(command: BaseCommand, options: dict[str, Any]) -> None:
    public_id = options["public_id"].removeprefix(PREFIX)
    token = Token.objects.filter(public_id=public_id).first()
    if token is None:
        raise CommandError(
            f'There is no token "{public_id}". See the public ids with: '
            "manage.py mcp tokens list"
        )
    token.revoke()
    command.stdout.write(
        f"{token} is revoked. Running servers refuse it within 5 seconds."
    )


def write_json(command: BaseCommand, rows: list[dict[str, Any]]) -> None:
    command.stdout.write(json.dumps(rows, indent=2))


def write_table(command: BaseCommand, rows: list[dict[str, Any]]) -> None:
    columns = ["public_id", "state", "name", "owner", "scopes", "expires_at"]
    lines = [columns] + [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        command.stdout.write("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _row(token: Token) -> dict[str, Any]:
    def moment(value: datetime | None) -> str | None:
        return None if value is None else value.isoformat(timespec="seconds")

    return {
        "public_id": token.public_id,
        "name": token.name,
        "owner": token.owner.get_username(),
        "scopes": token.scopes,
        "state": token.state.value,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "last_used_at": moment(token.last_used_at),
        "revoked_at": moment(token.revoked_at),
    }


def _days(text: str) -> int:
    if (
        text.isascii()
        and text.isdigit()
        and len(text) <= 4
        and 1 <= int(text) <= MAX_DAYS
    ):
        return int(text)
    raise ArgumentTypeError(f"give a whole number of days from 1 to {MAX_DAYS}")
