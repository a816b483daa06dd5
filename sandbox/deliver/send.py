"""Sends deliveries and waits at most three seconds for the answer, as Slack does."""

import hashlib
import hmac
import json
import queue
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from sandbox.state import Delivery, Workspace

ACK_SECONDS = 3.0
MOST_CONNECTIONS = 10
InProcess = Callable[[str, dict[str, str], bytes], tuple[int, dict[str, str], str]]
OK = 200


class SocketHub:
    """Socket Mode connections of the app: each envelope goes to exactly one, and waits for its answer."""

    def __init__(self) -> None:
        self._connections: list[queue.Queue[dict[str, Any]]] = []
        self._waiting: dict[str, queue.Queue[Any]] = {}
        self.tickets: set[str] = set()
        self._lock = threading.Lock()
        self._turn = 0

    def new_ticket(self) -> str:
        made = secrets.token_hex(8)
        self.tickets.add(made)
        return made

    def join(self) -> "queue.Queue[dict[str, Any]]":
        made: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._lock:
            self._connections.append(made)
        return made

    def leave(self, connection: "queue.Queue[dict[str, Any]]") -> None:
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)

    @property
    def is_open(self) -> bool:
        return bool(self._connections)

    def answered(self, envelope_id: str, payload: Any) -> None:
        waiting = self._waiting.get(envelope_id)
        if waiting is not None:
            waiting.put(payload)

    def send(self, kind: str, payload: dict[str, Any], attempt: int) -> tuple[int, str]:
        """Deliver one envelope; status 0 means that no answer came in time."""
        envelope_id = secrets.token_hex(16)
        answer: queue.Queue[Any] = queue.Queue()
        self._waiting[envelope_id] = answer
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if attempt:
            envelope |= {"retry_attempt": attempt, "retry_reason": "timeout"}
        with self._lock:
            self._turn += 1
            connection = self._connections[self._turn % len(self._connections)]
        connection.put(envelope)
        try:
            got = answer.get(timeout=ACK_SECONDS)
        except queue.Empty:
            return 0, ""
        finally:
            self._waiting.pop(envelope_id, None)
        return OK, json.dumps(got) if got is not None else ""


class Sender:
    """One way out to the app: Socket Mode when it is connected, else in process or over signed HTTP."""

    def __init__(self, workspace: Workspace, hub: SocketHub, *, signing_secret: str, request_url: str | None) -> None:
        self._workspace = workspace
        self._hub = hub
        self._secret = signing_secret
        self.request_url = request_url
        self.in_process: InProcess | None = None

    def send(self, kind: str, body: dict[str, Any], *, form: bool = False) -> Delivery:
        """Send a payload and keep it, so that it can be sent again."""
        delivery = Delivery(id=self._workspace.serial("D"), kind=kind, body=body, form=form)
        self._workspace.deliveries[delivery.id] = delivery
        return self._once(delivery, 0)

    def again(self, delivery_id: str, attempt: int = 1) -> Delivery:
        """Send a recorded delivery once more, with Slack's retry marks; the first one's record stays as it was."""
        first = self._workspace.deliveries[delivery_id]
        return self._once(Delivery(id=first.id, kind=first.kind, body=first.body, form=first.form), attempt)

    def _once(self, delivery: Delivery, attempt: int) -> Delivery:
        started = time.monotonic()
        if self._hub.is_open:
            delivery.status, delivery.answer = self._hub.send(_socket_type(delivery.kind), delivery.body, attempt)
        else:
            delivery.status, delivery.answer = self._http(delivery, attempt)
        elapsed = time.monotonic() - started
        delivery.elapsed_ms = elapsed * 1000
        if delivery.status == 0 or elapsed > ACK_SECONDS:
            delivery.error = "operation_timeout"
        elif delivery.status != OK:
            delivery.error = "dispatch_failed"
        self._log(delivery)
        return delivery

    def _http(self, delivery: Delivery, attempt: int) -> tuple[int, str]:
        body = delivery.body
        if delivery.form:
            raw = urllib.parse.urlencode(body)
        elif delivery.kind == "events_api":
            raw = json.dumps(body)
        else:
            raw = urllib.parse.urlencode({"payload": json.dumps(body)})
        as_json = delivery.kind == "events_api"
        headers = self._signed(raw)
        headers["Content-Type"] = "application/json" if as_json else "application/x-www-form-urlencoded"
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        if self.in_process is not None:
            status, _, text = self.in_process("/slack/events", headers, raw.encode())
            return status, text
        if self.request_url is None:
            return 0, ""
        request = urllib.request.Request(self.request_url, data=raw.encode(), headers=headers, method="POST")  # noqa: S310  # loopback only
        try:
            with urllib.request.urlopen(request, timeout=ACK_SECONDS) as answer:  # noqa: S310  # loopback only
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as fault:
            return fault.code, fault.read().decode()
        except OSError:
            return 0, ""

    def _signed(self, raw: str) -> dict[str, str]:
        stamp = str(int(time.time()))
        mark = hmac.new(self._secret.encode(), f"v0:{stamp}:{raw}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}"}

    def _log(self, delivery: Delivery) -> None:
        workspace = self._workspace
        workspace.traffic.append(
            {
                "id": workspace.serial("L"),
                "at": time.time(),
                "direction": "to app",
                "name": delivery.body.get("command") or delivery.body.get("type") or delivery.kind,
                "status": delivery.status,
                "elapsed_ms": round(delivery.elapsed_ms, 1),
                "request": blanked(delivery.body),
                "response": _loaded(delivery.answer),
                "delivery": delivery.id,
            }
        )
        workspace.tell("traffic")


def _socket_type(kind: str) -> str:
    return {"command": "slash_commands", "events_api": "events_api"}.get(kind, "interactive")


def _loaded(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def blanked(value: Any) -> Any:
    """A payload without its tokens."""
    if isinstance(value, dict):
        return {key: "…" if key in {"token", "trigger_id"} else blanked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [blanked(each) for each in value]
    return value
