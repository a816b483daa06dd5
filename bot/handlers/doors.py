"""Both doors: HTTP and Socket Mode, each counting what is in hand and answering at once when that is too much."""

import asyncio
import json
import threading
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.handlers.bounces import BOUNCES, BounceDoor
from bot.handlers.errors import answer, explain
from bot.handlers.monitor import readiness
from bot.handlers.naming import id_for, name_of
from bot.metrics import Metrics, counted
from bot.observe import log, outcome, request_id, served_book
from bot.storage.faults import BUSY

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Page = Callable[[str, str, Mapping[str, str]], BoltResponse]  # of a path, its query and the headers
LARGEST_BODY = 1_000_000
SPARE_THREADS = 8  # of the socket: they say busy while every place is taken
NOT_FOUND = 404
OUTDATED = "This is from another version of Duedesk and does nothing any more; open the document again."


class Admission:
    """Counts what is in hand; beyond the limit a request is answered busy, at once, with nothing done."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_hand = 0
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Take a place if there is one; who has one calls `leave`."""
        with self._lock:
            if self.in_hand >= self.limit:
                return False
            self.in_hand += 1
            return True

    def leave(self) -> None:
        with self._lock:
            assert self.in_hand > 0
            self.in_hand -= 1


@contextmanager
def watched(metrics: Metrics, body: dict[str, Any], door: str, received: float) -> Iterator[None]:
    """One request from its receipt to its answer: an id, a count, and a line in the log without a word of its text."""
    request_id.set(id_for(body))
    served_book.set("")
    command = name_of(body)
    try:
        with counted() as ended:
            yield
    finally:
        seconds = time.monotonic() - received
        metrics.request_done(command, ended[0], door, seconds)
        fields = {"command": command, "door": door, "outcome": ended[0], "ms": round(seconds * 1000)}
        log.info("request", extra={"fields": {**fields, "book": served_book.get() or metrics.book}})
        request_id.set("-")


def busy(metrics: Metrics, body: dict[str, Any], door: str, received: float) -> BoltResponse:
    """No place is free: say so at once."""
    with watched(metrics, body, door, received):
        outcome.set("busy")
        return answer(BUSY, body)


def dispatch(app: App, body: dict[str, Any], /, **parts: Any) -> BoltResponse:
    """Hand one request to Bolt; what breaks Bolt itself, or is unknown to it, is answered like any other."""
    try:
        response = app.dispatch(BoltRequest(**parts))
    except Exception as error:  # noqa: BLE001  # a payload that breaks Bolt must be answered too
        return explain(error, body)
    if response.status != NOT_FOUND:
        return response
    outcome.set("refused")
    return answer(OUTDATED, body)


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

    def __init__(  # noqa: PLR0913  # what a door needs, all but three by keyword
        self,
        app: App,
        admission: Admission,
        metrics: Metrics,
        *,
        why_not: Callable[[], str],
        signing_secret: str,
        bounces: BounceDoor | None = None,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self._app = app
        self._admission = admission
        self._metrics = metrics
        self._why_not = why_not
        self._bounces = bounces
        self._pages = pages or {}
        self._verifier = SignatureVerifier(signing_secret)
        self._pool = ThreadPoolExecutor(max_workers=admission.limit, thread_name_prefix="door")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        received = time.monotonic()
        path, method = scope["path"], scope["method"]
        if method == "GET" and path in {"/healthz", "/readyz"}:
            why = "" if path == "/healthz" else await asyncio.to_thread(self._why_not)
            await _respond(send, BoltResponse(status=503 if why else 200, body=readiness(why)))
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if method == "GET" and path in self._pages:
            await _respond(send, await self._shown(path, scope["query_string"].decode("latin-1"), headers))
            return
        wanted = {"/slack/events", *((BOUNCES,) if self._bounces is not None else ())}
        if method != "POST" or path not in wanted:
            await _respond(send, BoltResponse(status=404, body="not found"))
            return
        raw = await _body(receive)
        if raw is None:
            await _respond(send, BoltResponse(status=413, body="too large"))
            return
        if path == BOUNCES and self._bounces is not None:
            status = await asyncio.to_thread(self._bounces.take, headers.get("authorization", ""), raw)
            await _respond(send, BoltResponse(status=status, body=""))
            return
        await _respond(send, await self._answered(raw, headers, received))

    async def _shown(self, path: str, query: str, headers: dict[str, str]) -> BoltResponse:
        """A page for a browser, counted like any request."""
        if not self._admission.enter():
            return BoltResponse(status=503, body=BUSY)
        try:
            work = partial(self._pages[path], path, query, headers)
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._admission.leave()

    async def _answered(self, raw: str, headers: dict[str, str], received: float) -> BoltResponse:
        """Nothing of a body that Slack did not sign is looked at, and nothing it names is called."""
        if not self._is_signed(raw, headers):
            return BoltResponse(status=401, body="not signed by Slack")
        body = payload_of(raw)
        if not self._admission.enter():
            return await asyncio.to_thread(busy, self._metrics, body, "http", received)
        try:
            work = partial(self._served, raw, headers, body, received)
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._admission.leave()

    def _served(self, raw: str, headers: dict[str, str], body: dict[str, Any], received: float) -> BoltResponse:
        with watched(self._metrics, body, "http", received):
            return dispatch(self._app, body, body=raw, headers=headers, context={"received": received})

    def _is_signed(self, raw: str, headers: dict[str, str]) -> bool:
        try:
            return self._verifier.is_valid_request(raw, headers)
        except ValueError:  # a timestamp that is no number
            return False

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

    def __init__(self, app: App, admission: Admission, metrics: Metrics, *, app_token: str, base_url: str) -> None:
        self._app = app
        self._admission = admission
        self._metrics = metrics
        client = WebClient(token=app_token, base_url=base_url)
        threads = admission.limit + SPARE_THREADS
        self._client = SocketModeClient(app_token=app_token, web_client=client, concurrency=threads)
        self._client.socket_mode_request_listeners.append(self._listen)

    def _listen(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        received = time.monotonic()
        response = self._answered(dict(request.payload), received)
        if response.status != 200:  # noqa: PLR2004  # without an acknowledgement Slack delivers again
            return
        payload: dict[str, Any] | None = None
        if response.body:
            first = response.headers.get("content-type", [""])[0]
            payload = json.loads(response.body) if first.startswith("application/json") else {"text": response.body}
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))

    def _answered(self, body: dict[str, Any], received: float) -> BoltResponse:
        if not self._admission.enter():
            return busy(self._metrics, body, "socket", received)
        try:
            with watched(self._metrics, body, "socket", received):
                return dispatch(self._app, body, mode="socket_mode", body=body, context={"received": received})
        finally:
            self._admission.leave()

    def connect(self) -> None:
        self._client.connect()

    def is_connected(self) -> bool:
        return self._client.is_connected()

    def close(self) -> None:
        self._client.close()
