"""A web server on a port of its own that counts who connects: what a verifier that fetches keys would ask."""

import http.server
import threading
from types import TracebackType
from typing import Self

from authbench.stack.ports import LOOPBACK


class Listener:
    """Answers every GET with the same bytes, for as long as the block runs. `connections`: how many were opened."""

    def __init__(self, content: bytes) -> None:
        counted = self
        self.connections = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 2.0

            def setup(self) -> None:
                counted.connections += 1
                super().setup()

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
