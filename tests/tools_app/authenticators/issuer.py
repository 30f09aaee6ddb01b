"""An issuer of tokens on this machine: keys, what they sign, and a real server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ISSUER = "https://login.example.com/"
AUDIENCE = "https://shop.example.com/mcp"


def pem(key: Any) -> str:
    public: bytes = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


def jwk(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    algorithm: Any = jwt.get_algorithm_by_name(
        "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    )
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **members}


def claims(**members: Any) -> dict[str, Any]:
    """Return what a good token says; None leaves a claim out."""
    now_s = int(time.time())
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "exp": now_s + 600,
        "iat": now_s,
        "scope": "tools:call openid",
        **members,
    }
    return {name: value for name, value in said.items() if value is not None}


def signed(
    key: Any = RSA,
    /,
    *,
    algorithm: str | None = "RS256",
    kid: str | None = "first",
    **members: Any,
) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**members), key, algorithm, headers)


class Issuer:
    """What it publishes, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [jwk(RSA, "first", use="sig")]
        self.body: bytes | None = None
        self.asked = 0
        self.url = ""


@contextmanager
def serving() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            said = json.dumps({"keys": issuer.keys}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said if issuer.body is None else issuer.body)

        def log_message(self, *_: Any) -> None:
            """The tests count for themselves."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
