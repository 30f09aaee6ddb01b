from __future__ import annotations

import pytest
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from mcp_transport import Shelf
from mcp_transport.checks.catalogue import check_catalogue

HERE = "tests.checks.test_catalogue"

collided = Shelf()


@collided.tool(name="count")
def count_orders() -> int:
    return 1


@collided.tool(name="count")
def count_customers() -> int:
    return 2


guarded = Shelf()
guarded.tool(name="open")(count_orders)
guarded.tool(name="seen", permission="auth.view_user")(count_orders)
guarded.tool(name="declared", permission="tools_app.export_call")(count_orders)
guarded.tool(name="slip", permission="auth.veiw_user")(count_orders)
guarded.resource("docs://rules", permission="rules.zzz")(count_orders)


def found(catalogue: str) -> list[CheckMessage]:
    with override_settings(MCP={"CATALOGUE": catalogue}):
        return check_catalogue()


@pytest.mark.django_db
def test_names_that_collide_are_reported() -> None:
    assert found("tests.wire.catalogue.shelf") == []
    (error,) = found(f"{HERE}.collided")
    assert error.id == "mcp_transport.E002"
    with (
        override_settings(MCP={"CATALOGUE": f"{HERE}.collided"}),
        pytest.raises(SystemCheckError) as caught,
    ):
        call_command("check")
    assert "E002" in str(caught.value)
    assert "count" in str(caught.value)
    assert "Give one of them another name=." in str(caught.value)


def test_a_permission_that_no_model_has_is_reported() -> None:
    slip, unknown = found(f"{HERE}.guarded")
    assert slip.id == unknown.id == "mcp_transport.W010"
    assert "'slip' in tools needs the permission 'auth.veiw_user'" in slip.msg
    assert slip.hint == "Did you mean 'auth.view_user'?"
    assert "'docs://rules' in resources" in unknown.msg
    assert "Meta.permissions" in str(unknown.hint)


def test_a_catalogue_of_another_kind_is_taken_as_it_is() -> None:
    assert found("tests.wire.tokens.CALLERS") == []
