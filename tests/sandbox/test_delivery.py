"""Three ways to the app with the same answers: in process, signed HTTP, Socket Mode."""

import contextlib
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.sync.client import ClientConnection, connect

from sandbox.client import NotThere, RemoteActor
from tests.sandbox.conftest import (
    ANA,
    APP_TOKEN,
    OPTIONS,
    Stage,
    bolt,
    dispatcher,
    field,
    form,
    noting,
    plain,
    workspace,
)


def _keep(heard: list[dict[str, Any]]) -> Any:
    def keep(event: dict[str, Any]) -> None:
        heard.append(event)

    return keep


def counter(app: App) -> list[dict[str, Any]]:
    """An app with a form, options and a button; returns what it heard."""
    heard: list[dict[str, Any]] = []
    customer = field("customer", "Customer", "external_select", min_query_length=1)
    button = {"type": "button", "action_id": "go", "text": plain("Go"), "value": "P1"}
    blocks = [{"type": "actions", "block_id": "row", "elements": [button]}]

    @app.command("/form")
    def opened(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=form(customer))
        ack()

    @app.view("payment")
    def submitted(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        heard.append(body)
        client.chat_postMessage(channel="C0FINANCE", text="A payment", blocks=blocks)
        ack(
            response_action="update",
            view={
                "type": "modal",
                "callback_id": "told",
                "title": plain("Done"),
                "blocks": [{"type": "section", "text": plain("Recorded")}],
            },
        )

    app.options("customer_value")(lambda ack: ack(options=OPTIONS))
    app.action("go")(noting(heard))
    app.event("message")(_keep(heard))
    app.event("member_joined_channel")(_keep(heard))
    app.event("user_change")(_keep(heard))
    return heard


def use(stage: Stage, heard: list[dict[str, Any]]) -> None:
    """The whole way: command, form, search, submission, button."""
    assert stage.ana.command("finance", "/form").error is None
    stage.ana.fill({"Customer": "Acme Sea"})
    assert stage.ana.submit()["ok"]
    assert heard[0]["view"]["state"]["values"]["customer"]["customer_value"]["selected_option"]["value"] == "c2"
    card = stage.ana.messages("finance")[-1]
    assert stage.ana.press(card, "Go")["ok"]
    pressed = heard[-1]
    assert pressed["actions"][0]["value"] == "P1"
    assert pressed["message"]["ts"] == pressed["container"]["message_ts"] == card["ts"]
    assert pressed["user"] == {"id": ANA, "username": "ana", "name": "ana", "team_id": "T0SANDBOX"}


@pytest.fixture
def http_stage() -> Iterator[Stage]:
    """The app behind an HTTP server of its own, reached by its request URL."""
    sandbox = workspace()
    with sandbox.running() as address:
        app = bolt(address)
        dispatch = dispatcher(app)

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, text = dispatch(self.path, dict(self.headers.items()), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # named so by its class
                """Nothing is printed."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sandbox.sender.request_url = f"http://127.0.0.1:{server.server_port}/slack/events"
        yield Stage(sandbox, app, app.client, address)
        server.shutdown()
        server.server_close()


@pytest.fixture
def socket_stage() -> Iterator[Stage]:
    """The app connected by Socket Mode."""
    sandbox = workspace()
    with sandbox.running() as address:
        app = bolt(address)
        web = WebClient(token=APP_TOKEN, base_url=f"{address}/api/")
        handler = SocketModeHandler(app, APP_TOKEN, web_client=web)
        handler.connect()  # type: ignore[no-untyped-call]  # Bolt leaves it so
        while not sandbox.hub.is_open:
            time.sleep(0.01)
        yield Stage(sandbox, app, app.client, address)
        handler.close()  # type: ignore[no-untyped-call]  # as above


def test_the_whole_way_in_process(stage: Stage) -> None:
    use(stage, counter(stage.app))


def test_the_whole_way_over_signed_http(http_stage: Stage) -> None:
    use(http_stage, counter(http_stage.app))


def test_the_whole_way_over_socket_mode(socket_stage: Stage) -> None:
    use(socket_stage, counter(socket_stage.app))


def test_a_wrong_signature_is_refused_by_the_app(stage: Stage) -> None:
    stage.app.command("/raw")(lambda ack: ack())
    stage.sandbox.sender._secret = "another"
    assert stage.ana.command("finance", "/raw").status == 401


def test_events_reach_the_app_when_subscribed_and_inside(stage: Stage) -> None:
    heard = counter(stage.app)
    ts = stage.ana.say("finance", "approve & go, @ben.ong")
    stage.ana.say("away", "not heard")
    assert [(each["type"], each["text"], each["ts"]) for each in heard] == [
        ("message", "approve &amp; go, <@U0BEN>", ts)
    ]
    assert heard[0]["channel_type"] == "channel"
    stage.sandbox.happenings.join("U0GUEST", "finance")
    assert heard[-1]["type"] == "member_joined_channel"
    ana = stage.sandbox.workspace.person(ANA)
    stage.sandbox.happenings.change(ana)
    assert heard[-1]["user"]["id"] == ANA


def test_a_delivery_can_come_again_many_times_at_once(stage: Stage) -> None:
    heard: list[dict[str, Any]] = []
    retries: list[Any] = []

    @stage.app.command("/raw")
    def raw(ack: Any, body: dict[str, Any], request: Any) -> None:
        heard.append(body)
        retries.append(request.headers.get("x-slack-retry-num"))
        ack()

    reply = stage.ana.command("finance", "/raw hello")
    again = stage.sandbox.redeliver(reply.delivery, times=4, parallel=True)
    assert [each.status for each in again] == [200] * 4
    assert heard == [heard[0]] * 5
    assert sorted(each[0] for each in retries if each) == ["1", "2", "3", "4"]


def test_a_screen_that_lags_can_press_what_is_gone(stage: Stage) -> None:
    counter(stage.app)
    stage.ana.command("finance", "/form")
    stage.ana.fill({"Customer": "c1"})
    stage.ana.submit()
    card = stage.ana.messages("finance")[-1]
    stage.client.chat_update(channel="C0FINANCE", ts=card["ts"], text="Decided", blocks=[])
    with pytest.raises(NotThere):
        stage.ana.press(card, "Go")
    assert stage.ana.press(card, "Go", stale=True)["ok"]


def test_each_envelope_goes_to_one_connection_and_ten_are_the_most(stage: Stage) -> None:
    client = WebClient(token=APP_TOKEN, base_url=f"{stage.address}/api/")
    first = str(client.apps_connections_open(app_token=APP_TOKEN)["url"])
    with contextlib.ExitStack() as stack:

        def joined(address: str | None = None) -> ClientConnection:
            ticket = address or str(client.apps_connections_open(app_token=APP_TOKEN)["url"])
            return stack.enter_context(connect(ticket))

        sockets = [joined(first)]
        with pytest.raises(Exception, match="403"):
            joined(first)
        sockets += [joined() for _ in range(9)]
        assert [json.loads(each.recv())["type"] for each in sockets] == ["hello"] * 10
        assert json.loads(joined().recv())["reason"] == "too_many_websockets"
        typing = threading.Thread(target=stage.ana.command, args=("finance", "/raw"))
        typing.start()
        got = []
        for each in sockets:
            with contextlib.suppress(TimeoutError):
                got.append((each, json.loads(each.recv(timeout=0.1))))
        assert [envelope["type"] for _, envelope in got] == ["slash_commands"]
        answer = {"text": "Counted", "response_type": "ephemeral"}
        got[0][0].send(json.dumps({"envelope_id": got[0][1]["envelope_id"], "payload": answer}))
        typing.join()
        assert stage.ana.ephemerals()[-1]["text"] == "Counted"
        stage.sandbox.disconnect("warning")
        assert {json.loads(each.recv())["reason"] for each in sockets} == {"warning"}


def test_an_app_that_was_sent_away_connects_again(socket_stage: Stage) -> None:
    socket_stage.app.command("/raw")(lambda ack: ack(response_type="ephemeral", text="Back"))
    socket_stage.sandbox.disconnect()
    until = time.monotonic() + 20
    while not socket_stage.sandbox.hub.is_open and time.monotonic() < until:
        time.sleep(0.02)
    assert socket_stage.ana.command("finance", "/raw").text == "Back"


def test_shortcuts_carry_the_message_they_are_used_on(stage: Stage) -> None:
    heard: list[dict[str, Any]] = []
    for name in ("count", "count_this"):
        stage.app.shortcut(name)(noting(heard))
    ts = stage.ben.say("finance", "count me")
    stage.ana.shortcut("count")
    stage.ana.shortcut("count_this", on=stage.ana.messages("finance")[-1])
    assert [each["type"] for each in heard] == ["shortcut", "message_action"]
    assert heard[1]["message"]["ts"] == ts
    with pytest.raises(NotThere):
        stage.ana.shortcut("nothing")


def test_a_person_over_http_does_the_same(stage: Stage) -> None:
    heard = counter(stage.app)
    ana = RemoteActor(stage.address, ANA)
    assert ana.command("finance", "/form").status == 200
    ana.fill({"Customer": "Acme Sea"})
    assert ana.submit()["ok"]
    ana.close()
    assert ana.modal is None
    ana.press(ana.wait_for("finance", "A payment"), "Go")
    assert heard[-1]["type"] == "block_actions"
    assert ana.traffic()
    with pytest.raises(NotThere, match="user_not_found"):
        RemoteActor(stage.address, "U0NO").say("finance", "hello")


def test_the_page_hears_of_changes_as_they_happen(stage: Stage) -> None:
    address = f"{stage.address}/client/events?user={ANA}&after=0"
    with urllib.request.urlopen(address, timeout=5) as stream:  # loopback only
        assert stream.readline().startswith(b":")
        stage.ben.say("finance", "hello")
        events = (json.loads(each[5:]) for each in stream if each.startswith(b"data:"))
        assert next(each for each in events if each["kind"] == "message")["conversation"] == "C0FINANCE"


def test_a_missing_scope_of_the_app_token_is_no_way_round(stage: Stage) -> None:
    client = WebClient(token=APP_TOKEN, base_url=f"{stage.address}/api/")
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        client.chat_postMessage(channel="C0FINANCE", text="One")
