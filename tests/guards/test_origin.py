from __future__ import annotations

import pytest

from mcp_transport.guards.origin import is_loopback, normalised_origin, origin_allowed

ALLOWED = [
    "https://app.example.com",
    "http://localhost:6274",
    "https://[2001:db8::1]:8443",
    "vscode-webview://panel-1",
    "null",
    "*",
    "https://*.wild.example",
    "https://slash.example/",
]


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "https://app.example.com",
        "HTTPS://App.Example.COM",
        "https://app.example.com:443",
        "http://localhost:6274",
        "https://[2001:DB8:0:0:0:0:0:1]:8443",
        "vscode-webview://panel-1",
    ],
)
def test_absent_or_listed_origins_are_allowed(origin: str | None) -> None:
    assert origin_allowed(origin, ALLOWED) is True


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "*",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://evil-app.example.com",
        "https://sub.app.example.com",
        "https://app.example.com.",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://app.example.com:",
        "https://app.example.com:0443",
        "https://app.example.com:99999",
        "https://app.example.com:+443",
        "https://user@app.example.com",
        "https://evil.example@app.example.com",
        "https://app.example.com https://evil.example",
        "https://app.example.com, https://evil.example",
        " https://app.example.com",
        "https://app.example.com\n",
        "https:///app.example.com",
        "//app.example.com",
        "app.example.com",
        "http://localhost",
        "http://localhost:6275",
        "http://127.0.0.1:6274",
        "https://[2001:db8::1]",
        "https://[2001:db8::1",
        "https://[2001:db8::g]:8443",
        "https://[2001:db8::1%25eth0]:8443",
        "https://a.wild.example",
        "https://*.wild.example",
        "https://slash.example",
        "https://slash.example/",
        "https://app.example.c\u043em",
        "https://" + "a" * 600,
    ],
)
def test_every_other_origin_is_refused(origin: str) -> None:
    assert origin_allowed(origin, ALLOWED) is False


def test_without_allowed_origins_every_origin_is_refused() -> None:
    assert origin_allowed("http://localhost", []) is False
    assert origin_allowed(None, []) is True


def test_a_default_port_may_be_written_in_the_setting() -> None:
    assert origin_allowed("https://a.example", ["https://A.example:443"]) is True
    assert origin_allowed("http://a.example", ["http://a.example:443"]) is False


@pytest.mark.parametrize(
    ("origin", "normalised"),
    [
        ("HTTP://A.Example:80", "http://a.example"),
        ("ws://a.example:80", "ws://a.example"),
        ("https://a.example:80", "https://a.example:80"),
        ("app://obsidian.md", "app://obsidian.md"),
        ("app://obsidian.md:0", "app://obsidian.md:0"),
        ("http://[2001:DB8:0::1]:80", "http://[2001:db8::1]"),
        ("http://[1.2.3.4]", None),
        ("http://a.example:65535", "http://a.example:65535"),
        ("http://a.example:65536", None),
        ("http://" + "a" * 505, "http://" + "a" * 505),
        ("http://" + "a" * 506, None),
        ("*", None),
    ],
)
def test_normal_form(origin: str, normalised: str | None) -> None:
    assert normalised_origin(origin) == normalised


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.1",
        "127.0.0.1:8000",
        "127.1.2.3",
        "[::1]",
        "[::1]:8000",
        "[::ffff:127.0.0.1]:80",
    ],
)
def test_loopback_peer_and_loopback_host(peer: str, host: str) -> None:
    assert is_loopback(peer, host) is True


@pytest.mark.parametrize(
    "peer",
    [
        None,
        "",
        "10.0.0.1",
        "192.168.1.2",
        "0.0.0.0",
        "::",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "2001:db8::1",
        "localhost",
        "127.0.0.1, 10.0.0.1",
        "0127.0.0.1",
        "unix:",
    ],
)
def test_a_peer_from_elsewhere_is_not_loopback(peer: str | None) -> None:
    assert is_loopback(peer, "localhost") is False


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "localhost.evil.example",
        "evil.localhost",
        "127.0.0.1.evil.example",
        "127.1",
        "0.0.0.0",
        "2130706433",
        "0x7f.0.0.1",
        "10.0.0.1:8000",
        "::1",
        "[::1",
        "[127.0.0.1]",
        "[localhost]",
        "localhost:",
        "localhost:80:80",
        "localhost, evil.example",
        "user@localhost",
        "localhost/",
    ],
)
def test_a_host_that_names_another_machine_is_not_loopback(host: str | None) -> None:
    assert is_loopback("127.0.0.1", host) is False
