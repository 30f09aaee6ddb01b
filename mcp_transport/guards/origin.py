"""Which web pages may call, and what counts as this very machine.

A browser sends its page's origin; a page that an attacker controls must not
reach a server on the visitor's machine or network (DNS rebinding).

Spec: 2026-07-28 basic/transports/streamable-http #security-warning;
RFC 6454 sections 4 to 6.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address, ip_address
from typing import Protocol

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
MAX_ORIGIN_CHARS = 512  # a scheme, a host name of 253 characters and a port
_HOST_AND_PORT = (
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>0|[1-9][0-9]{0,4}))?"
)
_HOST = re.compile(_HOST_AND_PORT)
_ORIGIN = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://" + _HOST_AND_PORT)


class Origins(Protocol):
    """Who knows which origins are allowed at the moment: ``MCP["ORIGINS"]``."""

    async def current(self) -> Collection[str]:
        """Return them. It is asked with each request that has an Origin header, so
        it keeps what it once read for a while.
        """
        ...


def origin_allowed(origin: str | None, allowed: Collection[str]) -> bool:
    """Tell whether a request with this Origin header may go on.

    No header means no browser, and is allowed: such a client is held by its
    token. Otherwise scheme, host and port must equal those of an entry of
    ``allowed``; there are no wildcards, and "null" is nobody.
    """
    if origin is None:
        return True
    wanted = normalised_origin(origin)
    return wanted is not None and any(
        normalised_origin(entry) == wanted for entry in allowed
    )


@lru_cache(maxsize=256)
def normalised_origin(origin: str) -> str | None:
    """Return ``origin`` in lower case and without its scheme's default port.

    None when it is not exactly a scheme, a host and at most a port: no path,
    not even a slash at the end, no user, no list of origins.
    """
    if len(origin) > MAX_ORIGIN_CHARS or not (match := _ORIGIN.fullmatch(origin)):
        return None
    scheme, host = match["scheme"].lower(), match["host"].lower()
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1])}]"
        except AddressValueError:
            return None
    port = _DEFAULT_PORTS.get(scheme) if match["port"] is None else int(match["port"])
    if port is not None and port > 65535:
        return None
    if port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{port}"


def is_loopback(peer_address: str | None, host: str | None) -> bool:
    """Tell whether a request comes from this machine and was meant for it.

    ``peer_address`` is the address of the other end of the TCP connection, not
    one that a header claims; ``host`` is the Host header, with or without port.
    Both must be loopback: the address alone is also that of a proxy in front of
    us, the header alone is the caller's to choose.
    """
    if peer_address is None or host is None or not (match := _HOST.fullmatch(host)):
        return False
    name = match["host"].lower()
    if name.startswith("["):
        meant_for_it = ":" in name and _is_loopback_address(name[1:-1])
    else:
        meant_for_it = name == "localhost" or _is_loopback_address(name)
    return meant_for_it and _is_loopback_address(peer_address)


def _is_loopback_address(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    # Python before 3.13 does not see the loopback inside ::ffff:127.0.0.1.
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
