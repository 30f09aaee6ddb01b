"""deploy/nginx.conf as it is, on free ports and with files of our own."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.servers import DEPLOY, HOST, NGINX_TEMPORARY, Nginx, Served, running
from tests.serving import free_port


class PublicNginx(Nginx):
    """The file that is installed, on ``port`` for HTTPS and ``plain_port`` for HTTP.

    Only where it listens, what it writes and whose it is differs.
    """

    def __init__(self, directory: Path, upstreams: Sequence[Served]) -> None:
        super().__init__(free_port(), directory, upstreams)
        self.plain_port = free_port()
        self.tls = certified(directory / "tls")

    @property
    def origin(self) -> str:
        return f"https://{HOST}:{self.port}"

    def main_file(self) -> str:
        text = (DEPLOY / "nginx.conf").read_text()
        for installed, ours in {
            "user www-data;": self.user(),
            "pid /run/nginx.pid;": "pid nginx.pid;",
            "error_log /var/log/nginx/error.log warn;": "error_log stderr warn;",
            "/var/log/nginx/access.log mcp;": f"access.log mcp; {NGINX_TEMPORARY}",
            "listen 80;": f"listen {HOST}:{self.plain_port};",
            "listen 443 ssl;": f"listen {HOST}:{self.port} ssl;",
            "listen [::]:80;": "",
            "listen [::]:443 ssl;": "",
        }.items():
            assert text.count(installed) == 1, installed
            text = text.replace(installed, ours)
        return text


@contextmanager
def public_nginx(upstreams: Sequence[Served], directory: Path) -> Iterator[PublicNginx]:
    server = PublicNginx(directory, upstreams)
    with running([server]):
        yield server


def certified(directory: Path) -> ssl.SSLContext:
    """Make a certificate for loopback, and what trusts it and no other."""
    directory.mkdir()
    certificate = directory / "fullchain.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"),
            *("-subj", "/CN=mcp", "-addext", f"subjectAltName=IP:{HOST}"),
            *("-keyout", str(directory / "privkey.pem"), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return ssl.create_default_context(cafile=str(certificate))
