"""A Slack on loopback that takes 100 ms for each Web API call, and the ways in which it hands actions to a door."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

TEAM = "T1"
CHANNEL = "C1"
API_SECONDS = 0.1
WAIT_SECONDS = 30

Answer = dict[str, Any]
Deliver = Callable[[dict[str, Any]], Answer]
"""Hands the payload of one action, or the fields of one command, to a door and returns what the ack carried."""


@contextmanager
def web_api(socket_url: str = "") -> Iterator[str]:
    """The Web API: whatever is asked, the same answer fits it. Yields its base address."""
    serial = count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            time.sleep(API_SECONDS)
            said = {"ok": True, "team_id": TEAM, "user_id": "U0", "bot_id": "B0", "channel": CHANNEL, "url": socket_url}
            body = json.dumps(said | {"ts": f"1700000000.{next(serial):06}", "messages": []}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def over_http(port: int, signing_secret: str) -> Deliver:
    """Signed requests, each thread over a connection of its own that it keeps."""
    verifier = SignatureVerifier(signing_secret)
    kept = threading.local()

    def deliver(payload: dict[str, Any]) -> Answer:
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
        body = urlencode(payload if "command" in payload else {"payload": json.dumps(payload)})
        timestamp = str(int(time.time()))
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": verifier.generate_signature(timestamp=timestamp, body=body) or "",
        }
        kept.connection.request("POST", "/slack/events", body, headers)
        response = kept.connection.getresponse()
        raw = response.read()
        assert response.status == 200, (response.status, raw)
        answer: Answer = json.loads(raw)
        return answer

    return deliver


class SocketSide:
    """Slack's side of Socket Mode: one connection, envelopes out, acknowledgements in."""

    def __init__(self) -> None:
        from websockets.sync.server import serve

        self._waiting: dict[str, Future[Answer]] = {}
        self._serial = count(1)
        self._connected: Future[Any] = Future()
        self._server = serve(self._talk, "127.0.0.1", 0)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/"

    def deliver(self, payload: dict[str, Any]) -> Answer:
        envelope = str(next(self._serial))
        answer = self._waiting[envelope] = Future()
        kind = "slash_commands" if "command" in payload else "interactive"
        said = {"type": kind, "envelope_id": envelope, "payload": payload, "accepts_response_payload": True}
        self._connected.result(WAIT_SECONDS).send(json.dumps(said))
        return answer.result(WAIT_SECONDS)

    def close(self) -> None:
        self._server.shutdown()

    def _talk(self, connection: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        self._connected.set_result(connection)
        with suppress(ConnectionClosed):
            for raw in connection:
                said = json.loads(raw)
                self._waiting.pop(said["envelope_id"]).set_result(said.get("payload") or {})
