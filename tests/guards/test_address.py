from __future__ import annotations

from ipaddress import ip_network

import pytest

from mcp_transport.guards.address import client_address, counted_as, within

PEER = "10.0.0.1"
# What the proxies that stand before us have appended, and what somebody wrote before.
ONE_HOP = "203.0.113.7"
TWO_HOPS = "203.0.113.7, 10.0.0.2"
FORGED = "127.0.0.1, 198.51.100.9"


@pytest.mark.parametrize(
    ("trusted", "header", "address"),
    [
        # Nobody is trusted: the header is anybody's word.
        (0, None, PEER),
        (0, ONE_HOP, PEER),
        (0, f"{FORGED}, {TWO_HOPS}", PEER),
        (1, ONE_HOP, ONE_HOP),
        (1, f"{FORGED}, {ONE_HOP}", ONE_HOP),
        (1, f"{FORGED},{ONE_HOP}", ONE_HOP),
        (1, f"{ONE_HOP}, ", PEER),
        (2, TWO_HOPS, ONE_HOP),
        (2, f"{FORGED}, {TWO_HOPS}", ONE_HOP),
        (2, f"{FORGED},,{TWO_HOPS}", ONE_HOP),
        # Who came past a proxy is known by its peer, whatever it claims.
        (1, None, PEER),
        (1, "", PEER),
        (2, ONE_HOP, PEER),
        (2, None, PEER),
        # IPv6, as the proxies write it.
        (1, "2001:db8::7", "2001:db8::7"),
        (1, f"{FORGED}, ::ffff:203.0.113.7", "::ffff:203.0.113.7"),
    ],
)
def test_the_trusted_are_counted_from_the_right(
    trusted: int, header: str | None, address: str
) -> None:
    assert client_address(PEER, header, trusted) == address


@pytest.mark.parametrize(
    "garbage",
    [
        "unknown",
        "_hidden",
        "203.0.113.7:80",
        "[2001:db8::7]",
        "256.0.0.1",
        "a\x00",
        "-",
    ],
)
def test_what_is_no_address_is_not_taken_for_one(garbage: str) -> None:
    assert client_address(PEER, garbage, 1) == PEER
    assert client_address(None, garbage, 1) is None
    # Nor does it move the count.
    assert client_address(PEER, f"{garbage}, {ONE_HOP}", 1) == ONE_HOP


def test_on_a_unix_socket_there_is_an_address_only_by_a_proxy() -> None:
    assert client_address(None, ONE_HOP, 0) is None
    assert client_address(None, ONE_HOP, 1) == ONE_HOP
    assert client_address(None, None, 1) is None


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:cb00:7107", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:DB8:1:3::9", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
        ("somewhere", "unknown"),
        (None, "unknown"),
    ],
)
def test_one_subscriber_is_counted_as_one(address: str | None, counted: str) -> None:
    assert counted_as(address) == counted


NETWORKS = [ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/48")]


@pytest.mark.parametrize(
    ("address", "lies_within"),
    [
        ("192.0.2.1", True),
        ("192.0.3.1", False),
        ("::ffff:192.0.2.1", True),
        ("::ffff:192.0.3.1", False),
        ("2001:db8:1:9::1", True),
        ("2001:db8:2::1", False),
        ("192.0.2.1x", False),
        (None, False),
    ],
)
def test_an_address_lies_in_a_network_or_not(
    address: str | None, lies_within: bool
) -> None:
    assert within(address, NETWORKS) is lies_within
    assert within(address, []) is True
