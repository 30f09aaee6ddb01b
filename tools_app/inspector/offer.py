"""Whom the inspector offers to run as: tokens first, then users."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.contrib.auth import get_user_model
from django.db.models import Q

from tools_app import credential
from tools_app.inspector.target import Target
from tools_app.models import Token

PAGE_SIZE = 20
# Who is not among so many is looked for by a longer word.
MAX_PAGES = 1000


def offered(term: str, page: int) -> tuple[list[Target], bool]:
    """Return a page of those that match ``term``, the first being 1, and whether
    there are more. Those whom nobody may run as are among them.
    """
    if "\0" in term or page > MAX_PAGES:
        return [], False  # no name has it; no database counts so far
    start = (page - 1) * PAGE_SIZE
    found = list(islice(_matching(term, start), PAGE_SIZE + 1))
    return found[:PAGE_SIZE], len(found) > PAGE_SIZE


def _matching(term: str, start: int) -> Iterator[Target]:
    """Yield what matches from ``start`` on."""
    owned = _named(term, "owner__")
    by_id = Q(public_id__icontains=term.removeprefix(credential.PREFIX))
    tokens = Token.objects.select_related("owner").filter(
        Q(name__icontains=term) | by_id | owned
    )
    end = start + PAGE_SIZE + 1
    yield from map(Target.of_token, tokens[start:end])
    before = tokens.count()
    start, end = max(0, start - before), max(0, end - before)
    users = get_user_model()
    matching = users._default_manager.filter(_named(term))
    yield from map(Target.of_user, matching.order_by(users.USERNAME_FIELD)[start:end])


def _named(term: str, of: str = "") -> Q:
    """Return what finds users by name or address; ``of`` leads to the user."""
    users = get_user_model()
    fields = {field.name for field in users._meta.get_fields()}
    found = Q(**{f"{of}{users.USERNAME_FIELD}__icontains": term})
    if users.get_email_field_name() in fields:
        found |= Q(**{f"{of}{users.get_email_field_name()}__icontains": term})
    return found
