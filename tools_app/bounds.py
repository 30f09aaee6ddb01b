"""What bounds a token beside its scopes: which tools, how often, from where."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Network, ip_network
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mcp_transport.engine.caller import Network
from mcp_transport.engine.rates import Rate
from mcp_transport.protocol.naming import check_name

TOOLS_HELP = _(
    "Names of tools, one per line. The token sees and calls no other tools. "
    "Blank: all that the scopes grant."
)
RATE_HELP = _(
    "How many requests in which time, such as 60/m or 100/5m, with s, m, h or d. "
    "Blank: what the server allows to every token."
)
MAX_CALLS_HELP = _(
    "How many calls may run at a time in one server process. Blank: what the "
    "server allows to every token."
)
NETWORKS_HELP = _(
    "Where the token may be used: addresses or networks such as 192.0.2.0/24 or "
    "2001:db8::/32, one per line. Blank: anywhere."
)


def parse_network(text: str) -> Network:
    """Read an address or a network in CIDR notation. Raises ValueError."""
    if "%" in text:
        raise ValueError(f"{text!r} has a zone, which means something here only")
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
        raise ValueError(f"{text!r} stands for IPv4: write the IPv4 network")
    return network


def validate_tools(value: Any) -> None:
    """Check the JSON value of a token's tools. Raises ValidationError."""
    _check_each(value, check_name)


def validate_networks(value: Any) -> None:
    """Check the JSON value of a token's networks. Raises ValidationError."""
    _check_each(value, parse_network)


def validate_rate(value: str) -> None:
    """Raises ValidationError for what is no rate."""
    _check(value, Rate.parse)


def _check_each(value: Any, check: Callable[[str], object]) -> None:
    """Check a list of texts, none of them twice; ``check`` raises ValueError."""
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValidationError(_("Give a list of strings."), code="not_a_list")
    for text in value:
        _check(text, check)
    if len(set(value)) < len(value):
        raise ValidationError(_("An entry is listed twice."), code="repeated")


def _check(text: str, check: Callable[[str], object]) -> None:
    try:
        check(text)
    except ValueError as error:
        # Not "invalid": a field would put its own words in place.
        raise ValidationError(str(error), code="not_acceptable") from None
