"""What is known of the other side, from ``_meta`` or from ``initialize``.

Spec: 2026-07-28 basic/index #meta; 2025-11-25 basic/lifecycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_transport.protocol.errors import (
    UNSUPPORTED_PROTOCOL_VERSION,
    ProtocolError,
    invalid_params,
)
from mcp_transport.protocol.revision import Revision

META = "io.modelcontextprotocol/"
VERSION_KEY = META + "protocolVersion"
CAPABILITIES_KEY = META + "clientCapabilities"
CLIENT_INFO_KEY = META + "clientInfo"
LOG_LEVEL_KEY = META + "logLevel"
SERVER_INFO_KEY = META + "serverInfo"
SUBSCRIPTION_KEY = META + "subscriptionId"

LEVELS = (
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
)
SEVERITY = {level: n for n, level in enumerate(LEVELS)}
MAX_CLIENT_LENGTH = 100


def claimed_version(params: Mapping[str, Any]) -> Any:
    """Return the version that a request claims in ``_meta``; None if it does not.

    Spec: 2026-07-28 basic/versioning.
    """
    meta = params.get("_meta")
    if type(meta) is dict:
        return meta.get(VERSION_KEY)
    return None


def unsupported_version(
    requested: Any, supported: Mapping[str, Revision]
) -> ProtocolError:
    """Spec: 2026-07-28 basic/versioning #unsupported-protocol-version."""
    return ProtocolError(
        UNSUPPORTED_PROTOCOL_VERSION,
        f"Unsupported protocol version: {str(requested)[:64]}",
        {"supported": list(supported), "requested": str(requested)[:64]},
    )


def check_log_level(level: Any) -> str:
    """Raises ProtocolError (-32602) for a level that does not exist."""
    if type(level) is not str or level not in SEVERITY:
        raise invalid_params(f"The log level must be one of {', '.join(LEVELS)}")
    return level


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """The client of one request (stateless revisions) or of one session."""

    revision: Revision
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    info: Mapping[str, Any] | None = None
    log_level: str | None = None

    @classmethod
    def from_meta(
        cls, params: Mapping[str, Any], supported: Mapping[str, Revision]
    ) -> Peer:
        """Read the peer of a stateless request from its ``_meta``.

        Raises ProtocolError: -32602 for missing or malformed keys, -32022 for
        a version that is not in ``supported``.
        Spec: 2026-07-28 basic/index #request-metadata.
        """
        meta = params.get("_meta")
        if type(meta) is not dict:
            raise missing_meta(VERSION_KEY, CAPABILITIES_KEY)
        version = meta.get(VERSION_KEY)
        # First, since what else has to be there is for a version to say.
        if type(version) is str and version not in supported:
            raise unsupported_version(version, supported)
        capabilities = meta.get(CAPABILITIES_KEY)
        if type(version) is not str or type(capabilities) is not dict:
            raise missing_meta(
                *((VERSION_KEY,) if type(version) is not str else ()),
                *((CAPABILITIES_KEY,) if type(capabilities) is not dict else ()),
            )
        info = meta.get(CLIENT_INFO_KEY)
        if info is not None and type(info) is not dict:
            raise invalid_params(f"_meta[{CLIENT_INFO_KEY!r}] must be an object")
        level = meta.get(LOG_LEVEL_KEY)
        if level is not None:
            check_log_level(level)
        return cls(supported[version], capabilities, info, level)

    @classmethod
    def from_initialize(
        cls, params: Mapping[str, Any], supported: Mapping[str, Revision]
    ) -> Peer:
        """Read the peer of a session from the params of ``initialize``.

        A version that is not served is answered with the latest one of
        ``supported``, as the handshake asks.
        Raises ProtocolError (-32602) for malformed params.
        Spec: 2025-11-25 basic/lifecycle #version-negotiation.
        """
        version = params.get("protocolVersion")
        capabilities = params.get("capabilities", {})
        info = params.get("clientInfo")
        if type(version) is not str:
            raise invalid_params("initialize needs protocolVersion, a string")
        if type(capabilities) is not dict:
            raise invalid_params("initialize needs capabilities, an object")
        if info is not None and type(info) is not dict:
            raise invalid_params("clientInfo must be an object")
        revision = supported.get(version) or list(supported.values())[-1]
        return cls(revision, capabilities, info, revision.default_log_level)

    @property
    def client(self) -> str:
        """What the client calls itself, name and version, in a line for a person;
        "" where it does not say.
        """
        info = self.info or {}
        said = [
            part for key in ("name", "version") if type(part := info.get(key)) is str
        ]
        # Neither breaks a line nor turns the direction of what follows.
        printable = "".join(c for c in " ".join(said) if c.isprintable())
        return printable.strip()[:MAX_CLIENT_LENGTH]

    def declares(self, capability: tuple[str, ...]) -> bool:
        """Tell whether the client declared this capability path.

        An empty ``elicitation`` means the form mode alone.
        Spec: 2025-11-25 client/elicitation #capabilities.
        """
        if capability not in self.revision.asks:
            return False
        family = self.capabilities.get(capability[0])
        if type(family) is not dict:
            return False
        if len(capability) == 1:
            return True
        if capability == ("elicitation", "form"):
            return not family or "form" in family
        return type(family.get(capability[1])) is dict

    def hears(self, level: str) -> bool:
        """Tell whether a log message of ``level`` may be sent to this peer."""
        return (
            self.log_level is not None and SEVERITY[level] >= SEVERITY[self.log_level]
        )


def missing_meta(*keys: str) -> ProtocolError:
    return invalid_params(
        "params._meta needs " + " and ".join(keys), {"missing": list(keys)}
    )
