"""Sends deliveries and waits for the answer at most three seconds, as Slack does, unless told otherwise."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.deliver.sockets import OK, SocketHub
from sandbox.deliver.traffic import log
from sandbox.state import Delivery, Problem, Workspace
from sandbox.state.workspace import KEPT

InProcess = Callable[[str, dict[str, str], bytes], tuple[int, dict[str, str], str]]
PATH = "/slack/events"
NO_ANSWER = 0


class Sender:
    """One way out to the app: Socket Mode when it is connected, else in process, else signed HTTP."""

    def __init__(self, workspace: Workspace, hub: SocketHub, *, signing_secret: str, request_url: str | None) -> None:
        self._workspace = workspace
        self._hub = hub
        self._secret = signing_secret
        self.request_url = request_url
        self.in_process: InProcess | None = None
        # A proxy from the environment must never see the loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, kind: str, body: Mapping[str, Any]) -> Delivery:
        """Send a payload of kind slash_commands, interactive or events_api, and keep it to be sent again."""
        delivery = Delivery(id=self._workspace.serial("D"), kind=kind, body=body)
        with self._workspace.lock:
            kept = self._workspace.deliveries
            kept[delivery.id] = delivery
            if len(kept) > KEPT:
                del kept[next(iter(kept))]
        return self._once(delivery, 0)

    def again(self, delivery_id: str, attempt: int = 1) -> Delivery:
        """Send a recorded delivery once more, with Slack's retry marks; the first one's record stays as it was."""
        first = self._workspace.deliveries.get(delivery_id)
        if first is None:
            raise Problem("unknown_delivery")
        return self._once(replace(first, status=NO_ANSWER, answer="", elapsed_ms=0.0, error=None), attempt)

    def _once(self, delivery: Delivery, attempt: int) -> Delivery:
        started = time.monotonic()
        if self._hub.count:
            delivery.status, delivery.answer = self._hub.send(
                delivery.kind, delivery.body, attempt, self._workspace.grants.patience
            )
        else:
            delivery.status, delivery.answer = self._request(delivery, attempt)
        elapsed = time.monotonic() - started
        delivery.elapsed_ms = elapsed * 1000
        if elapsed >= self._workspace.grants.patience:
            delivery.error = "operation_timeout"
        elif delivery.status != OK:
            delivery.error = "dispatch_failed"
        self._log(delivery, attempt)
        return delivery

    def _request(self, delivery: Delivery, attempt: int) -> tuple[int, str]:
        raw, content_type = _raw(delivery)
        headers = {**self._signed(raw), "Content-Type": content_type}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        if self.in_process is not None:
            status, _, text = self.in_process(PATH, headers, raw)
            return status, text
        if self.request_url is None:
            return NO_ANSWER, ""
        request = urllib.request.Request(self.request_url, data=raw, headers=headers, method="POST")  # noqa: S310  # loopback only
        try:
            with self._opener.open(request, timeout=self._workspace.grants.patience) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode(errors="replace")
        except OSError:
            return NO_ANSWER, ""

    def _signed(self, raw: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        mark = hmac.new(self._secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}"}

    def _log(self, delivery: Delivery, attempt: int) -> None:
        body = delivery.body
        name = body.get("command") or body.get("event", {}).get("type") or body.get("type") or delivery.kind
        log(
            self._workspace,
            "to app",
            str(name),
            request=body,
            response=loaded(delivery.answer),
            status=delivery.status,
            elapsed_ms=round(delivery.elapsed_ms, 1),
            delivery=delivery.id,
            **({"attempt": attempt} if attempt else {}),
            **({"error": delivery.error} if delivery.error else {}),
        )


def _raw(delivery: Delivery) -> tuple[bytes, str]:
    """The body as it travels: a form for commands, JSON for events, a form with one JSON field for the rest."""
    if delivery.kind == "events_api":
        return json.dumps(delivery.body).encode(), "application/json"
    form = delivery.body if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.body)}
    return urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"


def loaded(text: str) -> Any:
    """An answer's body: JSON if it is that, else its text."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
