"""Payload to Request: who, where, when, under which key, and until when."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

from bot.desk import REQUEST_SECONDS, SYSTEM, Desk
from bot.domain.operation import Actor, Request
from bot.observe import request_id as logged_id

Body = Mapping[str, Any]
HOME_OPENED = "app_home_opened"
MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Call:
    """One delivery from Slack with all a handler needs; amounts and rights are read from the books, never from here."""

    desk: Desk
    body: Body
    client: WebClient
    request: Request
    home: str = ""  # the workspace that the app is installed in, where it is known
    home_enterprise: str | None = None

    @property
    def trigger_id(self) -> str:
        return str(self.body["trigger_id"])

    @property
    def view(self) -> Mapping[str, Any]:
        view: Mapping[str, Any] = self.body.get("view") or {}
        return view

    @property
    def is_at_home(self) -> bool:
        """Whether this came from the home tab itself."""
        return self.view.get("type") == "home"

    @property
    def is_for_home(self) -> bool:
        """Whether the home tab shows what this changes: it came from there, or from a form opened there."""
        return self.is_at_home or bool(self.metadata.get("home"))

    @property
    def metadata(self) -> dict[str, Any]:
        """What the form carries: ids, a version and the hash last previewed, never amounts."""
        loaded = json.loads(self.view.get("private_metadata") or "{}")
        return loaded if isinstance(loaded, dict) else {}

    @property
    def response_url(self) -> str:
        """Where an answer to a click goes; a button in a form has none."""
        return str(self.body.get("response_url") or "")

    @property
    def channel(self) -> str:
        if "channel_id" in self.body:
            return str(self.body["channel_id"])
        return str((self.body.get("channel") or {}).get("id", ""))

    def keyed(self, key: str) -> Request:
        """The same request under the key of what the person did."""
        made = self.request
        return Request(
            actor=made.actor,
            now=made.now,
            key=key[:255],
            request_id=made.request_id,
            command=made.command,
            deadline=made.deadline,
        )


def call_of(body: Body, desk: Desk, client: WebClient, received: float | None = None) -> Call:
    """Read a payload of any kind; the deadline counts from its receipt."""
    actor = actor_of(body)
    reference = reference_of(body)
    logged_id.set(reference)
    start = time.monotonic() if received is None else received
    request = Request(
        actor=actor,
        now=desk.clock(),
        key=f"payload:{reference}",
        request_id=reference,
        command=str(body.get("command") or body.get("type") or ""),
        deadline=start + REQUEST_SECONDS,
    )
    return Call(desk, body, client, request)


def reference_of(body: Body) -> str:
    """A short id of one delivery; the same when Slack delivers it again."""
    unique = body.get("trigger_id") or body.get("event_id") or json.dumps(body.get("actions", ""))
    return hashlib.sha256(f"{unique}{actor_of(body).user}".encode()).hexdigest()[:10]


def actor_of(body: Body) -> Actor:
    """Identity by the ids of the signed payload; a stranger in a shared channel shows his own team."""
    user = body.get("user")
    if isinstance(user, Mapping):
        team = user.get("team_id") or (body.get("team") or {}).get("id") or ""
        return Actor(team=str(team), user=str(user["id"]), enterprise=_enterprise(body))
    event = body.get("event")
    if isinstance(event, Mapping):
        acts = event.get("type") in {HOME_OPENED, MESSAGE}  # a person looks or speaks; of the rest Slack itself tells
        who = str(event.get("user") or SYSTEM) if acts else SYSTEM
        team = event.get("user_team") or event.get("team") if event.get("type") == MESSAGE else None
        return Actor(team=str(team or body.get("team_id") or ""), user=who, enterprise=_enterprise(body))
    return Actor(team=str(body.get("team_id") or ""), user=str(body.get("user_id") or ""), enterprise=_enterprise(body))


def _enterprise(body: Body) -> str | None:
    found = body.get("enterprise_id") or (body.get("enterprise") or {}).get("id")
    return str(found) if found else None


def button_key(call: Call, action: Mapping[str, Any]) -> str:
    """A click acts once per person, message and version of what it stands on."""
    container = call.body.get("container") or {}
    place = f"{container.get('channel_id', '')}:{container.get('message_ts') or container.get('view_id', '')}"
    return f"button:{place}:{action['action_id']}:{action.get('value', '')}:{call.request.actor.user}"
