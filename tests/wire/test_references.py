"""A schema that refers to another server's is never fetched, wherever it stands.

Spec: 2026-07-28 basic/index #json-schema-usage.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any

import jsonschema_rs
import pytest
from pydantic import WithJsonSchema

from mcp_transport import Elicit, Shelf, Tool
from tests.wire.client import ALL
from tests.wire.conftest import Opened

BOUND_S = 30
NAMES = ("$ref", "$dynamicRef", "$schema")


class SchemaServer(HTTPServer):
    """Gives a schema to everybody who asks, and keeps count of them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Schema)
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/schema"

    def get_request(self) -> Any:
        accepted = super().get_request()
        self.connections += 1
        return accepted


class _Schema(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"type":"string"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def elsewhere() -> Iterator[SchemaServer]:
    """A server that nobody may ask. In the end it is made sure that it answers."""
    with SchemaServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
            assert server.connections == 0
            # The same library, left to itself, does ask.
            validator = jsonschema_rs.validator_for({"$ref": server.url})
            assert validator.is_valid("a")
            assert not validator.is_valid(7)
            assert server.connections == 1
        finally:
            server.shutdown()
            thread.join(BOUND_S)


def raw(schema: dict[str, Any]) -> None:
    def take(arguments: dict[str, Any]) -> str:
        """Take what the schema allows."""
        return str(arguments)

    Tool.of(take, input_schema={"type": "object", **schema})


def declared(schema: dict[str, Any]) -> None:
    def take(a: str) -> str:
        """Take what the schema allows."""
        return a

    take.__annotations__["a"] = Annotated[str, WithJsonSchema(schema)]
    Shelf().tool(take)


def given(schema: dict[str, Any]) -> None:
    def give() -> dict[str, Any]:
        """Give what the schema allows."""
        return {}

    give.__annotations__["return"] = Annotated[dict[str, Any], WithJsonSchema(schema)]
    Shelf().tool(give)


def asked(schema: dict[str, Any]) -> None:
    Elicit("Which?", {"type": "object", "properties": {}, **schema})


def asked_within(schema: dict[str, Any]) -> None:
    properties = {"a": {"type": "string", **schema}}
    Elicit("Which?", {"type": "object", "properties": properties})


PLACES = [raw, declared, given, asked, asked_within]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("register", PLACES)
def test_a_schema_of_elsewhere_is_refused_unseen(
    elsewhere: SchemaServer, register: Callable[[dict[str, Any]], None], name: str
) -> None:
    with pytest.raises(ValueError, match=r"leaves the schema|only the root|dialect"):
        register({name: elsewhere.url})


@pytest.mark.parametrize("register", PLACES)
def test_a_reference_by_way_of_an_identity_is_refused_unseen(
    elsewhere: SchemaServer, register: Callable[[dict[str, Any]], None]
) -> None:
    with pytest.raises(ValueError, match="leaves the schema"):
        register({"$id": elsewhere.url, "$ref": "schema"})


@pytest.mark.parametrize("reference", ["schema", "#", "#spot", "#/$defs/gone"])
@pytest.mark.parametrize("register", [declared, given])
def test_a_reference_that_pydantic_does_not_know_is_refused_with_the_fix(
    register: Callable[[dict[str, Any]], None], reference: str
) -> None:
    with pytest.raises(ValueError, match="write its target in its place"):
        register({"$ref": reference})


@pytest.fixture
def conf() -> dict[str, Any]:
    return {"CATALOGUE": "tests.wire.served.catalogue.shelf"}


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_asks_by_one_fails_and_nothing_is_fetched(
    opened: Opened, elsewhere: SchemaServer, revision: str
) -> None:
    async with opened(revision) as client:
        result = await client.call("ask", reference=elsewhere.url)
        assert result["isError"] is True
        assert elsewhere.url not in str(result)


@pytest.mark.parametrize("revision", ALL)
async def test_one_among_the_arguments_is_plain_data(
    opened: Opened, elsewhere: SchemaServer, revision: str
) -> None:
    async with opened(revision) as client:
        named = {"$ref": elsewhere.url, "$schema": elsewhere.url}
        refused = await client.call("echo", text=named, **named)
        assert refused["isError"] is True
        assert await client.text("echo", text=elsewhere.url) == elsewhere.url
