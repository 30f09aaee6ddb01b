"""Whom the inspector offers to run as: tokens first, then users."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.contrib.auth import get_user_model
from django.db.models import Q

from tools_app.inspector.target import Target
from tools_app.models import Token

PAGE_SIZE = 20


def offered(term: str, page: int) -> tuple[list[Target], bool]:
    """Return a page of those that match ``term``, the first being 1, and whether
    there are more. Those whom nobody may run as are among them.
    """
    start = (page - 1) * PAGE_SIZE
    found = list(islice(_matching(term, start), PAGE_SIZE + 1))
    return found[:PAGE_SIZE], len(found) > PAGE_SIZE


def _matching(term: str, start: int) -> Iterator[Target]:
    """Yield what matches from ``start`` on."""
    users = get_user_model()
    named = users.USERNAME_FIELD
    tokens = Token.objects.select_related("owner").filter(
        Q(name__icontains=term)
        | Q(public_id__icontains=term)
        | Q(**{f"owner__{named}__icontains": term})
    )
    end = start + PAGE_SIZE + 1
    yield from map(Target.of_token, tokens[start:end])
    before = tokens.count()
    start, end = max(0, start - before), max(0, end - before)
    matching = users._default_manager.filter(**{f"{named}__icontains": term})
    yield from map(Target.of_user, matching.order_by(named, "pk")[start:end])
