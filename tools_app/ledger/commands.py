"""``manage.py mcp prune``: delete the calls that are older than they need be."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from tools_app.ledger.days import midnight
from tools_app.ledger.options import MAX_RETENTION_DAYS, get_options
from tools_app.ledger.pruning import count, prune

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "prune",
        help="Delete old calls from the ledger.",
        description="Without --days and --before it leaves as many days as "
        'MCP_LEDGER["RETENTION_DAYS"] says, or 90.',
    )
    until = parser.add_mutually_exclusive_group()
    until.add_argument(
        "--days",
        type=_days,
        help=f"Leave so many days, 1 to {MAX_RETENTION_DAYS}.",
    )
    until.add_argument(
        "--before",
        type=_midnight,
        metavar="DATE",
        help="Delete what is from before a day, YYYY-MM-DD.",
    )
    parser.add_argument(
        "--dry-run",
        action="store_const",
        const=_tell,
        default=_delete,
        dest="act",
        help="Only tell how many there are.",
    )
    parser.set_defaults(run=_run)


def _run(command: BaseCommand, options: dict[str, Any]) -> None:
    before = options["before"]
    if before is None:
        days = options["days"] or get_options().retention_days
        before = timezone.now() - timedelta(days=days)
    command.stdout.write(options["act"](before))


def _delete(before: datetime) -> str:
    return f"{prune(before)} calls from before {_said(before)} were deleted."


def _tell(before: datetime) -> str:
    return f"{count(before)} calls from before {_said(before)} would be deleted."


def _said(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat(" ", "minutes")


def _days(text: str) -> int:
    digits = text.isascii() and text.isdigit() and len(text) <= 5
    if digits and 1 <= int(text) <= MAX_RETENTION_DAYS:
        return int(text)
    raise ArgumentTypeError(
        f"give a whole number of days from 1 to {MAX_RETENTION_DAYS}"
    )


def _midnight(text: str) -> datetime:
    """Return when a day begins: one that is over, or today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("write a day as YYYY-MM-DD") from None
    if day > timezone.localdate():
        raise ArgumentTypeError("that day is yet to come")
    return midnight(day)
