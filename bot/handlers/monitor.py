"""A small server for the machines that watch this one: health, readiness and metrics, beside whichever door is used."""

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bot.handlers.bounces import BOUNCES, LARGEST_REPORT, BounceDoor

OK, UNAVAILABLE, NOT_FOUND, TOO_LARGE = 200, 503, 404, 413
PATIENCE_SECONDS = 5  # for one that connects and says nothing


class _Server(ThreadingHTTPServer):
    """Threads that do not keep the program from ending; an address may be taken again at once."""

    daemon_threads = True
    allow_reuse_address = True
    address_family = socket.AF_INET

    def handle_error(self, _request: Any, _address: Any) -> None:
        """One that hangs up in the middle is nothing to report."""


class Monitor:
    """Serves /healthz, /readyz and /metrics, and takes reports of bounces, until it is closed."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        why_not: Callable[[], str],
        metrics: Callable[[], bytes],
        bounces: BounceDoor | None = None,
    ) -> None:
        def answer(path: str) -> tuple[int, str, bytes]:
            match path.partition("?")[0]:
                case "/healthz":
                    return OK, "text/plain", b"ok"
                case "/readyz":
                    why = why_not()
                    return (UNAVAILABLE if why else OK), "text/plain", readiness(why).encode()
                case "/metrics":
                    return OK, "text/plain; version=0.0.4; charset=utf-8", metrics()
            return NOT_FOUND, "text/plain", b"not found"

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE_SECONDS

            def do_GET(self) -> None:  # the library's name
                status, kind, body = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:  # the library's name
                """What a service reports of bounces; there is nothing else to be told here."""
                status = NOT_FOUND if bounces is None or self.path != BOUNCES else _taken(bounces, self)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def version_string(self) -> str:
                return "duedesk"

            def log_message(self, *_: Any) -> None:
                """Whoever asks every few seconds is not worth a line."""

        self._server = _Server((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=PATIENCE_SECONDS)


def _taken(bounces: BounceDoor, request: BaseHTTPRequestHandler) -> int:
    size = request.headers.get("Content-Length", "")
    if not size.isascii() or not size.isdigit() or int(size) > LARGEST_REPORT:
        return TOO_LARGE
    raw = request.rfile.read(int(size)).decode("utf-8", "replace")
    return bounces.take(request.headers.get("Authorization", ""), raw)


def readiness(why_not: str) -> str:
    """What a balancer is told: one word, no details."""
    return f"not ready: {why_not}" if why_not else "ok"
