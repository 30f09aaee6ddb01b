"""The official JSON Schemas, held against each message that a server sends.

A schema allows members that it does not name; ours must not, because a member
that a revision does not know belongs to another one. So each definition is
closed before it judges.
"""

from __future__ import annotations

import binascii
import json
import os
from base64 import b64decode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest

from mcp_transport.protocol.revisions import REVISIONS
from mcp_transport.protocol.uritemplate import UriTemplate

Json = dict[str, Any]

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "schema"

# What a result, a notification and a request of ours is called in the schemas.
RESULTS = {
    "initialize": "InitializeResult",
    "server/discover": "DiscoverResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "resources/subscribe": "EmptyResult",
    "resources/unsubscribe": "EmptyResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "completion/complete": "CompleteResult",
    "logging/setLevel": "EmptyResult",
    "ping": "EmptyResult",
    "subscriptions/listen": "SubscriptionsListenResult",
}
NOTIFICATIONS = {
    "notifications/cancelled": "CancelledNotification",
    "notifications/message": "LoggingMessageNotification",
    "notifications/progress": "ProgressNotification",
    "notifications/prompts/list_changed": "PromptListChangedNotification",
    "notifications/resources/list_changed": "ResourceListChangedNotification",
    "notifications/resources/updated": "ResourceUpdatedNotification",
    "notifications/subscriptions/acknowledged": "SubscriptionsAcknowledgedNotification",
    "notifications/tools/list_changed": "ToolListChangedNotification",
}
REQUESTS = {
    "elicitation/create": "ElicitRequest",
    "ping": "PingRequest",
    "roots/list": "ListRootsRequest",
    "sampling/createMessage": "CreateMessageRequest",
}
# Codes that the newest schema defines: as a whole message, or the error alone.
ERROR_MESSAGES = {
    -32020: "HeaderMismatchError",
    -32021: "MissingRequiredClientCapabilityError",
    -32022: "UnsupportedProtocolVersionError",
}
ERROR_OBJECTS = {
    -32700: "ParseError",
    -32600: "InvalidRequestError",
    -32601: "MethodNotFoundError",
    -32602: "InvalidParamsError",
    -32603: "InternalError",
    # Codes of our own, which no schema names.
    403: "Error",
    429: "Error",
    503: "Error",
}

# JSON Schemas and metadata are open on purpose, and a part of an allOf would
# refuse the members of the other parts.
OPEN_MEMBERS = frozenset({"inputSchema", "outputSchema", "_meta", "allOf"})


def is_base64(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


def is_uri(text: str) -> bool:
    return bool(urlsplit(text).scheme)


def is_uri_template(text: str) -> bool:
    try:
        UriTemplate(text)
    except ValueError:
        return False
    return True


FORMATS = {"byte": is_base64, "uri": is_uri, "uri-template": is_uri_template}


class Official:
    """The schema of one revision."""

    def __init__(self, revision: str, schema: Json) -> None:
        self.revision = revision
        self.stateless = not REVISIONS[revision].stateful
        self._key = "$defs" if "$defs" in schema else "definitions"
        self._dialect = schema["$schema"]
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self._definitions = {
            name: definition if name.endswith("MetaObject") else closed(definition)
            for name, definition in schema[self._key].items()
        }

    def has(self, definition: str) -> bool:
        return definition in self._definitions

    def members(self, definition: str) -> set[str]:
        """Return the names of the members that an object may have."""
        return set(self._definitions[definition]["properties"])

    def check(self, definition: str, value: object) -> None:
        """Assert that ``value`` is what ``definition`` says, and no more."""
        assert self.has(definition), f"{self.revision} has no {definition}"
        for error in self._validator(definition).iter_errors(value):
            pytest.fail(
                f"{self.revision} {definition} at {error.instance_path}: "
                f"{error.message[:1000]}"
            )

    def _validator(self, definition: str) -> jsonschema_rs.Validator:
        if definition not in self._validators:
            schema = {
                "$schema": self._dialect,
                "$ref": f"#/{self._key}/{definition}",
                self._key: self._definitions,
            }
            self._validators[definition] = jsonschema_rs.validator_for(
                schema, offline=True, validate_formats=True, formats=FORMATS
            )
        return self._validators[definition]

    def check_message(self, message: Json, asked: Mapping[Any, str]) -> str:
        """Assert that the server may send ``message``; return what it is called.

        ``asked`` maps the ids of our requests to their methods.
        """
        self.check("JSONRPCMessage", message)
        if "method" in message:
            return self._check_call(message)
        if "error" in message:
            return self.check_error(message)
        return self._check_response(message, asked[message["id"]])

    def _check_call(self, message: Json) -> str:
        kind = "Request" if "id" in message else "Notification"
        name = (REQUESTS if "id" in message else NOTIFICATIONS)[message["method"]]
        for definition in (f"JSONRPC{kind}", f"Server{kind}", name):
            self.check(definition, message)
        return name

    def _check_response(self, message: Json, method: str) -> str:
        name, result = RESULTS[method], message["result"]
        if self.stateless and result["resultType"] == "input_required":
            assert method in ("tools/call", "prompts/get", "resources/read")
            name = "InputRequiredResult"
        self.check(self._known("JSONRPCResultResponse", "JSONRPCResponse"), message)
        self.check(name, result)
        if name == "EmptyResult":
            allowed = {"_meta", "resultType"} if self.stateless else {"_meta"}
            assert result.keys() <= allowed
        if self.has(f"{RESULTS[method]}Response"):
            self.check(f"{RESULTS[method]}Response", message)
        return name

    def check_error(self, message: Json) -> str:
        """Assert that ``message`` is an error, of its own definition if it has one.

        Returns that definition's name, or the code of an error without one.
        """
        self.check(self._known("JSONRPCErrorResponse", "JSONRPCError"), message)
        code = message["error"]["code"]
        if not self.stateless:
            return str(code)
        if code in ERROR_MESSAGES:
            self.check(ERROR_MESSAGES[code], message)
            return ERROR_MESSAGES[code]
        self.check(ERROR_OBJECTS[code], message["error"])
        return ERROR_OBJECTS[code]

    def _known(self, *names: str) -> str:
        return next(name for name in names if self.has(name))


def closed(node: Any) -> Any:
    """Return a schema whose objects hold no members but those it names."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {
        key: value if key in OPEN_MEMBERS else closed(value)
        for key, value in node.items()
    }
    properties = result.get("properties")
    if isinstance(properties, dict) and result.get("type") == "object":
        if "method" in properties and "jsonrpc" not in properties:
            # The older schemas leave the envelope to JSONRPCRequest and its kin.
            properties = {"jsonrpc": {"const": "2.0"}, "id": {}, **properties}
        result["properties"] = properties
        result.setdefault("additionalProperties", False)
    return result


def directory() -> Path | None:
    """Return where the schemas lie, or None when they are not on this machine."""
    places = [os.environ.get("MCP_SCHEMA_DIR"), BESIDE]
    found = [Path(place) for place in places if place and Path(place).is_dir()]
    return found[0] if found else None


def official(revision: str) -> Official:
    """Return the official schema of a revision.

    Without the schemas the test is skipped; in continuous integration, where
    they must be, it fails.
    """
    found = directory()
    if found is None:
        reason = f"the official schemas are in neither MCP_SCHEMA_DIR nor {BESIDE}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return _read(found / f"{revision}.json")


@cache
def _read(path: Path) -> Official:
    return Official(path.stem, json.loads(path.read_text(encoding="utf-8")))
