"""A workspace with three people, and a trivial app of Bolt on the other side."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_sdk import WebClient

from sandbox.client import Actor
from sandbox.server import Sandbox
from sandbox.state import BOT_USER, Channel, Person

TOKEN, APP_TOKEN, SECRET = "xoxb-sandbox", "xapp-sandbox", "signing-secret"
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Counter"},
    "features": {
        "app_home": {"home_tab_enabled": True},
        "bot_user": {"display_name": "counter"},
        "shortcuts": [
            {"name": "Count", "type": "global", "callback_id": "count", "description": "Count"},
            {"name": "Count this", "type": "message", "callback_id": "count_this", "description": "Count this"},
        ],
        "slash_commands": [
            {"command": "/form", "description": "Opens a form", "should_escape": True},
            {"command": "/raw", "description": "Echoes"},
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "commands",
                "chat:write",
                "im:write",
                "users:read",
                "channels:read",
                "groups:read",
                "files:read",
                "files:write",
                "channels:history",
                "im:history",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": ["message.channels", "message.im", "app_home_opened", "member_joined_channel", "user_change"]
        }
    },
}
ANA, BEN, GUEST = "U0ANA", "U0BEN", "U0GUEST"
OPTIONS: list[dict[str, Any]] = [
    {"text": {"type": "plain_text", "text": name}, "value": value}
    for name, value in (("Acme Pte Ltd", "c1"), ("Acme Sea", "c2"), ("Bolt Works", "c3"))
]


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": text}}


def field(block_id: str, label: str, kind: str, **more: Any) -> dict[str, Any]:
    """An input block."""
    top: dict[str, Any] = {name: more.pop(name) for name in ("optional", "dispatch_action") if name in more}
    element = {"type": kind, "action_id": f"{block_id}_value", **more}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element, **top}


def form(*blocks: dict[str, Any], title: str = "Payment", **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "payment",
        "title": plain(title),
        "submit": plain("Record"),
        "blocks": list(blocks),
        **more,
    }


def noting(heard: list[Any], name: str | None = None) -> Any:
    """A listener that keeps each payload, or one value of it, and acknowledges with nothing."""

    def note(ack: Any, body: dict[str, Any]) -> None:
        heard.append(body if name is None else body[name])
        ack()

    return note


@dataclass
class Stage:
    """The workspace, the app, and the app's way to the Web API."""

    sandbox: Sandbox
    app: App
    client: WebClient
    address: str

    @property
    def ana(self) -> Actor:
        return self.sandbox.person(ANA)

    @property
    def ben(self) -> Actor:
        return self.sandbox.person(BEN)

    def opens(self, view: dict[str, Any]) -> None:
        """Let `/form` open a view."""

        @self.app.command("/form")
        def open_it(ack: Any, body: dict[str, Any], client: WebClient) -> None:
            client.views_open(trigger_id=body["trigger_id"], view=view)
            ack()

    def open_form(self, *blocks: dict[str, Any], **more: Any) -> None:
        self.opens(form(*blocks, **more))
        reply = self.ana.command("finance", "/form")
        assert reply.error is None


def workspace(**more: Any) -> Sandbox:
    everyone = {ANA, BEN, GUEST}
    return Sandbox(
        MANIFEST,
        [
            Person(id=ANA, name="ana", real_name="Ana Lim", email="ana@example.com", tz="Asia/Singapore"),
            Person(id=BEN, name="ben.ong", real_name="Ben Ong"),
            Person(id=GUEST, name="guest", real_name="Guest", is_restricted=True),
        ],
        [
            Channel(id="C0FINANCE", name="finance", members={*everyone, BOT_USER}),
            Channel(id="C0AWAY", name="away", members=everyone),
            Channel(id="C0SECRET", name="secret", members={ANA}, is_private=True),
            Channel(id="C0OLD", name="old", members={*everyone, BOT_USER}, is_archived=True),
            Channel(id="C0NEWS", name="news", members={*everyone, BOT_USER}, is_read_only=True),
        ],
        signing_secret=SECRET,
        bot_token=TOKEN,
        app_token=APP_TOKEN,
        **more,
    )


def dispatcher(app: App) -> Any:
    """Hands signed requests to an app, as its HTTP door would."""

    def dispatch(_path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
        request = BoltRequest(body=body.decode(), headers={name: [value] for name, value in headers.items()})
        answer = app.dispatch(request)
        return answer.status, {name: values[0] for name, values in answer.headers.items()}, answer.body

    return dispatch


def bolt(address: str) -> App:
    client = WebClient(token=TOKEN, base_url=f"{address}/api/", retry_handlers=[])
    return App(name="counter", client=client, signing_secret=SECRET, process_before_response=True)


@pytest.fixture
def stage() -> Iterator[Stage]:
    sandbox = workspace()
    with sandbox.running() as address:
        app = bolt(address)
        sandbox.deliver_to(dispatcher(app))
        yield Stage(sandbox, app, app.client, address)
