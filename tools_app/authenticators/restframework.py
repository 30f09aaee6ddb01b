"""Tokens that authentication classes of Django REST framework know.

class ApiKeys(RestFrameworkAuthenticator):
    classes = [TokenAuthentication]
    scopes = {"tools:call"}
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from mcp_transport.callers import acting_as
from tools_app.authenticators.remembering import RememberingAuthenticator
from tools_app.lookup import Grant
from tools_app.scopes import is_scope


class RestFrameworkAuthenticator(RememberingAuthenticator):
    """Accepts what one of ``classes`` accepts, as its user, with ``scopes``.

    A class is shown the token in an Authorization header of a request that has
    nothing else, under the class's own ``keyword`` where it has one: the clients of
    MCP say Bearer, whatever the class expects.

    Raises ImproperlyConfigured where there is no class, or something is no scope.
    """

    classes: ClassVar[Sequence[type[BaseAuthentication]]] = ()
    scopes: ClassVar[Collection[str]] = frozenset()

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        name = type(self).__qualname__
        if not self.classes:
            raise ImproperlyConfigured(f"{name}.classes must name what to ask")
        if isinstance(self.scopes, str) or not all(map(is_scope, self.scopes)):
            raise ImproperlyConfigured(f"{name}.scopes must be a set of scopes")

    @sensitive_variables()
    def look_up(self, token: str) -> Grant | None:
        for one in self.classes:
            user = self._user(one(), token)
            if user is not None:
                caller = acting_as(
                    user, subject=f"user:{user.pk}", scopes=frozenset(self.scopes)
                )
                return Grant(caller, math.inf)
        return None

    @sensitive_variables()
    def _user(self, authentication: BaseAuthentication, token: str) -> Any:
        """Return whom the class knows, if the user is active."""
        if "\0" in token:
            return None  # PostgreSQL does not look for it, it raises
        bare = HttpRequest()
        bare.method = "POST"
        keyword = getattr(authentication, "keyword", "Bearer")
        bare.META["HTTP_AUTHORIZATION"] = f"{keyword} {token}"
        try:
            known = authentication.authenticate(Request(bare))
        except AuthenticationFailed:
            return None
        user: Any = known[0] if known else None
        return user if user is not None and user.is_active else None
