from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from mcp_transport.engine.rates import Rate
from tests.tools_app.conftest import Issue, ask
from tools_app.bounds import validate_networks, validate_rate, validate_tools
from tools_app.models import Token
from tools_app.tokens import TokenAuthenticator


@pytest.mark.parametrize(
    ("validate", "value"),
    [
        (validate_tools, []),
        (validate_tools, ["count_orders", "shop.count-orders", "A" * 128]),
        (validate_networks, []),
        (validate_networks, ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "::1"]),
        (validate_networks, ["0.0.0.0/0", "::/0"]),
        (validate_rate, "60/m"),
        (validate_rate, "100/5m"),
    ],
)
def test_what_bounds_a_token_is_accepted(
    validate: Callable[[Any], None], value: object
) -> None:
    validate(value)


@pytest.mark.parametrize(
    ("validate", "value", "message"),
    [
        (validate_tools, ["two words"], "'two words' is not a valid name"),
        (validate_tools, ["a", "b", "a"], "listed twice"),
        (validate_tools, ["a\n"], "is not a valid name"),
        (validate_tools, [""], "is not a valid name"),
        (validate_tools, "a", "list of strings"),
        (validate_tools, [1], "list of strings"),
        (validate_tools, None, "list of strings"),
        (validate_networks, ["192.0.2.7/24"], "host bits set"),
        (validate_networks, ["example.org"], "does not appear to be"),
        (validate_networks, ["192.0.2.0/33"], "does not appear to be"),
        (validate_networks, ["1"], "does not appear to be"),
        (validate_networks, [1], "list of strings"),
        (validate_networks, ["fe80::1%eth0"], "has a zone"),
        (validate_networks, ["::ffff:192.0.2.0/120"], "write the IPv4 network"),
        (validate_networks, ["::1", "::1"], "listed twice"),
        (validate_networks, {"::1": True}, "list of strings"),
        (validate_rate, "often", "'often' is no rate"),
        (validate_rate, "0/m", "is no rate"),
    ],
)
def test_what_bounds_nothing_is_refused_by_name(
    validate: Callable[[Any], None], value: object, message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        validate(value)
    assert message in caught.value.messages[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"allowed_tools": ["two words"]}, "is not a valid name"),
        ({"rate": "often"}, "is no rate"),
        ({"max_calls": 0}, "greater than or equal to 1"),
        ({"networks": ["nowhere"]}, "does not appear to be"),
    ],
)
def test_a_token_with_a_bound_that_is_none_is_not_issued(
    issue: Issue, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        issue(**given)
    assert not Token.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_caller_has_the_bounds_of_its_token(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    _, text = issue(
        allowed_tools=["echo", "add"],
        rate="100/5m",
        max_calls=3,
        networks=["192.0.2.0/24", "::1"],
    )
    caller = ask(authenticator, text)
    assert caller is not None
    assert caller.tools == frozenset({"echo", "add"})
    assert caller.rate == Rate(100, 300)
    assert caller.max_calls == 3
    assert caller.networks == (ip_network("192.0.2.0/24"), ip_network("::1/128"))


@pytest.mark.django_db(transaction=True)
def test_a_token_without_bounds_has_those_of_the_server(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    caller = ask(authenticator, issue()[1])
    assert caller is not None
    given = (caller.tools, caller.rate, caller.max_calls, caller.networks)
    assert given == (None, None, None, ())


@pytest.mark.django_db(transaction=True)
def test_a_bound_that_was_changed_counts_at_once(
    authenticator: TokenAuthenticator, issue: Issue
) -> None:
    token, text = issue()
    ask(authenticator, text)
    token.allowed_tools = ["echo"]
    token.save()
    caller = ask(authenticator, text)
    assert caller is not None
    assert caller.tools == frozenset({"echo"})
