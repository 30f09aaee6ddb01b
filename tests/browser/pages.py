"""Where the pages come from: an origin of its own, that is not the server's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.servers import HOST
from tests.serving import ROOT

PAGES = Path(__file__).parent / "pages"
STATIC = ROOT / "mcp_transport" / "static"
PREFIX = "/static"


class _Handler(SimpleHTTPRequestHandler):
    """Serves the static files of the package under /static/, and our pages."""

    def translate_path(self, path: str) -> str:
        is_static = path.startswith(f"{PREFIX}/")
        self.directory = str(STATIC if is_static else PAGES)
        return super().translate_path(path.removeprefix(PREFIX))

    def log_message(self, *args: object) -> None:
        """Say nothing: it would be said amid the tests."""


@contextmanager
def served_pages() -> Iterator[str]:
    """Serve them; yield the origin."""
    server = ThreadingHTTPServer((HOST, 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
