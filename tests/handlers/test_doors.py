"""Both doors serve the same commands, many at once, and answer what they cannot serve."""

import contextlib
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Connection

from bot.handlers.doors import Admission
from sandbox.client import shown
from tests.slack import SECRET, Slack
from tests.world import CLERK, TEAM

AT_ONCE = 50
DATABASE_SECONDS = 0.1
SIDE_BY_SIDE = 8
BUSY = "The desk is busy and nothing was done"
FORM = "application/x-www-form-urlencoded"


@contextlib.contextmanager
def http_door(slack: Slack) -> Iterator[str]:
    """The HTTP door on a free port, where the workspace delivers to."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    door = slack.duedesk.http_door()
    server = uvicorn.Server(uvicorn.Config(door, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    slack.sandbox.deliver_to(None)
    slack.sandbox.sender.request_url = f"{address}/slack/events"
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        door.close()
        listening.close()


@contextlib.contextmanager
def socket_door(slack: Slack) -> Iterator[str]:
    """The Socket Mode door, connected."""
    slack.sandbox.deliver_to(None)
    door = slack.duedesk.socket_door()
    door.connect()
    until = time.monotonic() + 10
    while not slack.sandbox.hub.is_open and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield slack.address
    finally:
        door.close()


DOORS = {"http": http_door, "socket": socket_door}
EACH_DOOR = pytest.mark.parametrize("door", DOORS)


@EACH_DOOR
def test_a_payment_goes_the_whole_way_through_either_door(slack: Slack, door: str) -> None:
    slack.world.customer()
    with DOORS[door](slack):
        assert "What will happen" in slack.type("/payment Acme 500 ref TT-1")
        assert slack.clerk.submit()["ok"]
        assert slack.clerk.press(slack.card("PAY-0001"), "Undo")["ok"]
        assert "void" in slack.card("PAY-0001")["text"]
        assert "Aged receivables" in slack.type("/aging")
    slack.world.check()


def _slowed(slack: Slack, monkeypatch: pytest.MonkeyPatch, wait: Callable[[Connection], None]) -> None:
    """The first question of each request takes as long as a busy database, on a connection of the pool."""
    store = slack.duedesk.desk.store
    read = store.read
    seen: set[float | None] = set()

    def slow(work: Callable[[Any], Any], deadline: float | None = None) -> Any:
        first = deadline not in seen
        seen.add(deadline)

        def waited(books: Any) -> Any:
            if first:
                wait(books.connection)
            return work(books)

        return read(waited, deadline)

    monkeypatch.setattr(store, "read", slow)


class WorkingDatabase:
    """Takes its time for each question, and knows how many it works on at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work = 0
        self.most = 0

    def __call__(self, connection: Connection) -> None:
        with self._lock:
            self._at_work += 1
            self.most = max(self.most, self._at_work)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_sleep({DATABASE_SECONDS})")
        else:
            time.sleep(DATABASE_SECONDS)
        with self._lock:
            self._at_work -= 1


@EACH_DOOR
def test_fifty_commands_at_once_with_a_slow_database_are_worked_on_side_by_side(
    slack: Slack, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is refused or lost. How long they take is measured by the benchmarks, beside a floor."""
    slack.world.customer()
    database = WorkingDatabase()
    with DOORS[door](slack), ThreadPoolExecutor(AT_ONCE) as pool:
        slack.type("/payment list")
        _slowed(slack, monkeypatch, database)
        replies = list(pool.map(lambda _: slack.clerk.command("finance", "/payment list"), range(AT_ONCE)))
        monkeypatch.undo()
    assert [reply.error for reply in replies] == [None] * AT_ONCE
    assert {BUSY in reply.text for reply in replies} == {False}
    assert min(reply.elapsed_ms for reply in replies) >= DATABASE_SECONDS * 1000
    assert database.most > SIDE_BY_SIDE


@EACH_DOOR
def test_beyond_the_waiting_limit_the_answer_is_busy_at_once_and_nothing_is_done(
    slack: Slack, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.duedesk.admission = Admission(2)
    held, free = threading.Semaphore(0), threading.Event()

    def hold(_: Connection) -> None:
        held.release()
        free.wait(10)

    with DOORS[door](slack), ThreadPoolExecutor(2) as pool:
        slack.type("/payment list")
        _slowed(slack, monkeypatch, hold)
        waiting = [pool.submit(slack.clerk.command, "public", "/payment list") for _ in range(2)]
        assert all(held.acquire(timeout=5) for _ in waiting)
        assert BUSY in slack.clerk.command("finance", "/payment list").text
        assert slack.clerk.submit()["ok"]
        assert BUSY in shown(slack.clerk.modal or {})
        assert not any(each.done() for each in waiting)
        free.set()
        assert {BUSY in each.result().text for each in waiting} == {False}
        assert BUSY not in slack.clerk.command("finance", "/payment list").text
    assert slack.count("payment") == 0


def test_the_waiting_limit_of_the_environment_is_the_doors_and_leaves_room_to_queue(slack: Slack) -> None:
    """More may wait than work at once: the busy answer must not itself wait for a thread."""
    config = slack.duedesk.config
    assert slack.duedesk.admission.limit == config.desk_waiting > config.desk_limit + 8
    door = slack.duedesk.socket_door()
    assert door._client.message_workers._max_workers > config.desk_waiting
    door.close()


def _post(address: str, raw: bytes, headers: dict[str, str]) -> tuple[int, str]:
    request = urllib.request.Request(f"{address}/slack/events", data=raw, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


def _signed(raw: bytes, stamp: str) -> dict[str, str]:
    mark = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}"}


def _now(seconds: int = 0) -> str:
    return str(int(time.time()) + seconds)


UNSIGNED: dict[str, Callable[[bytes], dict[str, str]]] = {
    "no signature": lambda _raw: {},
    "wrong signature": lambda _raw: {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": _now()},
    "no timestamp": lambda raw: {"X-Slack-Signature": _signed(raw, _now())["X-Slack-Signature"]},
    "old timestamp": lambda raw: _signed(raw, _now(-301)),
    "future timestamp": lambda raw: _signed(raw, _now(301)),
    "timestamp that is no number": lambda raw: _signed(raw, "soon"),
    "another body": lambda raw: _signed(raw + b"&more=1", _now()),
}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_request_that_slack_did_not_sign_is_refused_and_its_body_is_not_logged(
    slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    body = b"command=%2Fpayment&text=secret-customer&user_id=U0CLERK&team_id=T0001&channel_id=C0FINANCE&trigger_id=1"
    caplog.set_level(logging.DEBUG)
    with http_door(slack) as address:
        for name, headers in UNSIGNED.items():
            status, said = _post(address, body, {"Content-Type": FORM, **headers(body)})
            assert (name, status) == (name, 401)
            assert "secret-customer" not in said
        assert _post(address, body, {"Content-Type": FORM, **_signed(body, _now())})[0] == 200
    assert "secret-customer" not in caplog.text


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("places", [0, 1])
def test_no_address_that_an_unsigned_request_names_is_called(slack: Slack, places: int) -> None:
    called = socket.create_server(("127.0.0.1", 0))
    called.settimeout(0.3)
    click = {"type": "block_actions", "response_url": f"http://127.0.0.1:{called.getsockname()[1]}/"}
    raw = urllib.parse.urlencode({"payload": json.dumps(click)}).encode()
    slack.duedesk.admission = Admission(1)
    if not places:
        assert slack.duedesk.admission.enter()
    with http_door(slack) as address:
        for name, headers in UNSIGNED.items():
            assert (name, _post(address, raw, headers(raw))[0]) == (name, 401)
        with pytest.raises(TimeoutError):
            called.accept()
    called.close()


PERSON = {"id": CLERK, "team_id": TEAM}
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a submission without the view's type": (
        {"type": "view_submission", "user": PERSON, "view": {"id": "V1", "callback_id": "payment_record"}},
        "Something went wrong on our side",
    ),
    "a submission of a form that is no more": (
        {"type": "view_submission", "user": PERSON, "view": {"id": "V1", "type": "modal", "callback_id": "gone"}},
        "another version",
    ),
    "a click without an action": ({"type": "block_actions", "user": PERSON, "actions": []}, ""),
    "options for a field that is no more": (
        {"type": "block_suggestion", "user": PERSON, "action_id": "gone", "block_id": "gone", "value": "a"},
        '{"options": []}',
    ),
    "a command that is no more": (
        {"command": "/gone", "text": "", "user_id": CLERK, "team_id": TEAM},
        "another version",
    ),
    "a payload of no known kind": ({"type": "nothing"}, ""),
    "a user that is a word": ({"type": "block_actions", "user": "me", "team": 7, "actions": [{}]}, ""),
}


@EACH_DOOR
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_payload_that_nothing_understands_is_answered_and_the_desk_lives(slack: Slack, door: str) -> None:
    with DOORS[door](slack):
        for name, (body, said) in BROKEN.items():
            kind = "slash_commands" if "command" in body else "interactive"
            answer = slack.sandbox.deliver(kind, body)
            assert (name, answer.status) == (name, 200)
            assert said in answer.answer, name
            if body.get("type") == "view_submission":
                assert json.loads(answer.answer)["response_action"] == "update"
        assert "No payment" in slack.type("/payment list")


@EACH_DOOR
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_button_of_another_version_is_answered_for_the_person_who_pressed_it(slack: Slack, door: str) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    with DOORS[door](slack):
        slack.clerk.press(slack.card("PAY-0001"), "Customer")
        pressed = next(
            each
            for each in reversed(slack.sandbox.workspace.deliveries.values())
            if each.body.get("type") == "block_actions"
        )
        action = {**pressed.body["actions"][0], "action_id": "button_of_long_ago"}
        assert slack.sandbox.deliver("block_actions", {**pressed.body, "actions": [action]}).status == 200
        assert "another version" in shown(slack.clerk.ephemerals("finance")[-1])


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_bytes_that_are_no_payload_are_answered_and_the_desk_lives(slack: Slack) -> None:
    with http_door(slack) as address:
        for raw in (
            b"",
            b"{",
            b"[1]",
            b"payload=%7Bnot+json",
            b"payload=%5B1%5D",
            b"payload=",
            b"a" * 9000,
        ):
            status, said = _post(address, raw, {"Content-Type": FORM, **_signed(raw, _now())})
            assert (raw[:20], status) == (raw[:20], 200)
            assert "Traceback" not in said
        odd = b"command=\xff\xfe"  # Slack signs text alone
        assert _post(address, odd, {"Content-Type": FORM, **_signed(odd, _now())})[0] == 401
        assert _post(address, b"a" * 1_000_001, {"Content-Type": FORM})[0] == 413
        assert "No payment" in slack.type("/payment list")


def _get(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


def test_health_and_readiness_are_told_over_http(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> str:
        raise ConnectionRefusedError

    with http_door(slack) as address:
        assert _get(address, "/healthz") == (200, "ok")
        assert _get(address, "/readyz") == (200, "ok")
        assert _get(address, "/slack/events")[0] == 404
        assert _get(address, "/")[0] == 404
        monkeypatch.setattr("bot.storage.schema.newest", lambda: "one that is newer")
        assert _get(address, "/readyz") == (503, "not ready: schema")
        monkeypatch.setattr(slack.duedesk.desk.store.database, "read", unreachable)
        assert _get(address, "/readyz") == (503, "not ready: database")
        assert _get(address, "/healthz") == (200, "ok")
