"""POST /api/tickets/: a ticket for one WebSocket."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from mcp_transport.conf import get_tickets
from mcp_transport.transports.admission import TICKET_PREFIX
from tools_app.rest.access import BearerAuthentication, Known, PrivateView
from tools_app.tickets import LIFETIME_S, OfToken, OfUser, SingleUse, for_user

MAY_ISSUE = "tools_app.add_token"


class TicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField(help_text="Good for one connection.")
    expires_in_s = serializers.IntegerField(help_text="Seconds from now.")
    subprotocol = serializers.CharField(
        help_text='What to offer beside "mcp" when the WebSocket is opened.'
    )


class TicketView(PrivateView):
    """Issues a ticket for one WebSocket, to a bearer or to a user.

    A bearer's grants what its token does, and ends with it. A user's grants all
    that the user may do, as a token with the scope ``*`` does: so it is for those
    who could issue themselves such a token, which is staff that may add tokens.
    """

    authentication_classes = [BearerAuthentication, SessionAuthentication]
    permission_classes = []  # ``_holder`` decides

    @extend_schema(request=None, responses={201: TicketSerializer})
    def post(self, request: Request) -> Response:
        tickets = get_tickets()
        if not isinstance(tickets, SingleUse):
            return Response({"detail": "Tickets are not used here."}, status=404)
        ticket = tickets.issue(self._holder(request))
        issued = {
            "ticket": ticket,
            "expires_in_s": LIFETIME_S,
            "subprotocol": f"{TICKET_PREFIX}{ticket}",
        }
        return Response(TicketSerializer(issued).data, status=201)

    def _holder(self, request: Request) -> OfToken | OfUser:
        """Raises NotAuthenticated or PermissionDenied."""
        user: Any = request.user
        if isinstance(request.auth, Known):
            if request.auth.kept is not None:
                return request.auth.kept
        elif user.is_active and user.is_staff and user.has_perm(MAY_ISSUE):
            return for_user(user)
        self.permission_denied(
            request,
            "Tickets are for tokens that were issued here, and for staff with the "
            f"permission {MAY_ISSUE}.",
        )
