"""requestState: what a call in several rounds remembers, kept by its client.

The state is signed and bound to caller, request and time; its answers are what
that same client sent, so they need no secrecy. Sealing does not stop a replay
before expiry. Spec: 2026-07-28 basic/patterns/mrtr.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic_core import from_json

from mcp_transport.protocol.errors import ProtocolError, invalid_params
from mcp_transport.protocol.messages import Json, dumps
from mcp_transport.protocol.signing import Signer

MAX_STATE_CHARS: Final = 256 * 1024
"""How long a sealed state may be: it travels in each body from here on."""

_PURPOSE: Final = "requestState"
_PASSING: Final = frozenset({"_meta", "inputResponses", "requestState"})


@dataclass(frozen=True, slots=True)
class State:
    """What was learned before: ``answers`` by key, and how many rounds it took."""

    answers: dict[str, Json]
    round: int


def request_digest(method: str, params: Mapping[str, Json]) -> str:
    """Return a digest that is the same in each round of one request.

    It covers the method and all params but ``_meta``, ``inputResponses`` and
    ``requestState``, in any order of members.
    """
    salient = {key: value for key, value in params.items() if key not in _PASSING}
    return _digest(method, salient)


def seal_state(
    signer: Signer,
    *,
    subject: str,
    method: str,
    digest: str,
    answers: Mapping[str, Json],
    round: int,
    expires_at_s: int,
) -> str:
    """Return the requestState to send, for ``subject`` to bring back.

    ``digest`` is that of ``request_digest``; ``expires_at_s`` is in seconds of
    Unix time. ``round`` grows with each round, so no two states are alike.

    Raises ProtocolError (-32602) when the answers are too large to be carried.
    """
    payload = {
        "for": _digest(subject, method, digest),
        "until": expires_at_s,
        "round": round,
        "answers": dict(answers),
    }
    token = signer.sign(_PURPOSE, dumps(payload))
    if len(token) > MAX_STATE_CHARS:
        raise invalid_params("The answers are too large to be carried further")
    return token


def unseal_state(
    signer: Signer,
    token: Json,
    *,
    subject: str,
    method: str,
    digest: str,
    now_s: float,
) -> State:
    """Return what was sealed for this caller and this request.

    Raises ProtocolError (-32602), the same for every reason, so that it tells
    nothing to who tries: not a string, too long, not signed by us, sealed for
    another caller or request, expired.
    """
    if not isinstance(token, str) or len(token) > MAX_STATE_CHARS:
        raise _refusal()
    payload = signer.verify(_PURPOSE, token)
    if payload is None:
        raise _refusal()
    sealed = from_json(payload)
    if sealed["for"] != _digest(subject, method, digest) or now_s >= sealed["until"]:
        raise _refusal()
    return State(sealed["answers"], sealed["round"])


def _refusal() -> ProtocolError:
    return invalid_params("Invalid or expired requestState")


def _digest(*parts: Json) -> str:
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
