"""Gives a ticket for the token of a request, as the site's REST endpoint does."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from tools_app.tickets import SingleUse, for_token


def ticket(request: HttpRequest) -> HttpResponse:
    """A token's validity is looked at when its ticket is redeemed."""
    credential = for_token(request.headers["Authorization"].removeprefix("Bearer "))
    assert credential is not None
    return HttpResponse(SingleUse().issue(credential))
