"""Both doors: HTTP and Socket Mode, each counting what is in hand and answering at once when that is too much."""

import asyncio
import json
import threading
import time
import urllib.parse
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.handlers.errors import answer, explain
from bot.storage.engine import BUSY

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
LARGEST_BODY = 1_000_000
SOCKET_THREADS = 64


class Admission:
    """Counts what is in hand; beyond the limit a request is answered busy, at once, with nothing done."""

    def __init__(self, limit: int) -> None:
        self._slots = threading.BoundedSemaphore(limit)

    def run(self, app: App, request: BoltRequest, body: dict[str, Any]) -> BoltResponse:
        """Dispatch one request; what breaks Bolt itself is answered like any other fault."""
        if not self._slots.acquire(blocking=False):
            return answer(BUSY, body)
        try:
            return app.dispatch(request)
        except Exception as error:  # noqa: BLE001  # a payload that breaks Bolt must be answered too
            return explain(error, body)
        finally:
            self._slots.release()


def payload_of(raw: str) -> dict[str, Any]:
    """The payload of a signed body, as far as it can be read, to know how to answer."""
    try:
        if raw.startswith("{"):
            loaded = json.loads(raw)
        else:
            form = dict(urllib.parse.parse_qsl(raw))
            loaded = json.loads(form["payload"]) if "payload" in form else form
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


class HttpDoor:
    """An ASGI app: signed requests at /slack/events, run in a bounded pool of threads."""

    def __init__(self, app: App, admission: Admission, *, threads: int, ready: Callable[[], bool]) -> None:
        self._app = app
        self._admission = admission
        self._ready = ready
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="door")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        received = time.monotonic()
        path, method = scope["path"], scope["method"]
        if method == "GET" and path in {"/healthz", "/readyz"}:
            fine = path == "/healthz" or await asyncio.get_running_loop().run_in_executor(self._pool, self._ready)
            await _respond(send, BoltResponse(status=200 if fine else 503, body="ok" if fine else "not ready"))
            return
        if method != "POST" or path != "/slack/events":
            await _respond(send, BoltResponse(status=404, body="not found"))
            return
        raw = await _body(receive)
        if raw is None:
            await _respond(send, BoltResponse(status=413, body="too large"))
            return
        headers: dict[str, str | Sequence[str]] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        response = await asyncio.get_running_loop().run_in_executor(self._pool, self._dispatch, raw, headers, received)
        await _respond(send, response)

    def _dispatch(self, raw: str, headers: dict[str, str | Sequence[str]], received: float) -> BoltResponse:
        request = BoltRequest(body=raw, headers=headers, context={"received": received})
        return self._admission.run(self._app, request, payload_of(raw))

    def close(self) -> None:
        self._pool.shutdown(wait=True)


async def _body(receive: Receive) -> str | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts).decode("utf-8", "replace")


async def _respond(send: Send, response: BoltResponse) -> None:
    headers = [(name.encode(), value.encode()) for name, values in response.headers.items() for value in values]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": (response.body or "").encode()})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


class SocketDoor:
    """Socket Mode with room for many at once; the answer leaves with the acknowledgement."""

    def __init__(self, app: App, admission: Admission, *, app_token: str, base_url: str) -> None:
        self._app = app
        self._admission = admission
        client = WebClient(token=app_token, base_url=base_url)
        self._client = SocketModeClient(app_token=app_token, web_client=client, concurrency=SOCKET_THREADS)
        self._client.socket_mode_request_listeners.append(self._listen)

    def _listen(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        received = time.monotonic()
        body: dict[str, Any] = dict(request.payload)
        made = BoltRequest(mode="socket_mode", body=request.payload, context={"received": received})
        response = self._admission.run(self._app, made, body)
        if response.status != 200:  # noqa: PLR2004  # without an acknowledgement Slack delivers again
            return
        payload: dict[str, Any] | None = None
        if response.body:
            first = response.headers.get("content-type", [""])[0]
            payload = json.loads(response.body) if first.startswith("application/json") else {"text": response.body}
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))

    def connect(self) -> None:
        self._client.connect()

    def is_connected(self) -> bool:
        return self._client.is_connected()

    def close(self) -> None:
        self._client.close()
