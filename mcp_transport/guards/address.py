"""Where a request comes from, through the proxies that stand before us.

A proxy appends the address that it was called from to X-Forwarded-For. What is
left of that, anybody may have written: so the trusted ones are counted from the
right. RFC 7239 section 8.1 says the same of its own header.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from mcp_transport.engine.caller import Network

Address = IPv4Address | IPv6Address


def client_address(
    peer: str | None, forwarded_for: str | None, trusted_proxies: int
) -> str | None:
    """Return the address of the client; None where it cannot be known.

    ``peer`` is the other end of the TCP connection, None on a Unix socket;
    ``forwarded_for`` the header, its repetitions joined by commas. Who came past
    the proxies is known by its peer.
    """
    if not trusted_proxies:
        return peer
    hops = [hop.strip() for hop in (forwarded_for or "").split(",")]
    if len(hops) < trusted_proxies:
        return peer
    claimed = hops[-trusted_proxies]
    return peer if parsed(claimed) is None else claimed


@lru_cache(maxsize=1024)
def parsed(address: str) -> Address | None:
    """Return the address, an IPv4 one inside IPv6 as itself; None if it is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


@lru_cache(maxsize=1024)
def counted_as(address: str | None) -> str:
    """Return what an address is counted under: IPv6 by the network of 64 bits that
    one subscriber has, and all unknown ones together.
    """
    found = None if address is None else parsed(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, 64), strict=False))
    return str(found) if found is not None else "unknown"


def within(address: str | None, networks: Collection[Network]) -> bool:
    """Tell whether ``address`` lies in one of ``networks``; anything does in none."""
    if not networks:
        return True
    found = None if address is None else parsed(address)
    return found is not None and any(found in network for network in networks)
