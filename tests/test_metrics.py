"""What monitoring is told: figures that are right, labels that are few, and a word why a process is not ready."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.handlers.monitor import Monitor
from bot.serving import serve
from bot.storage.parking import park
from bot.storage.pulse import signs
from tests.domain.expect import run_sql
from tests.handlers.test_doors import http_door, socket_door
from tests.slack import BOT_TOKEN, SECRET, Slack, workspace
from tests.world import OWNER, TEAM, World

ROOT = Path(__file__).parent.parent
SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])
DOORS = {"http": http_door, "socket": socket_door}


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


def figures(slack: Slack) -> dict[str, float]:
    """Every sample by its name and labels."""
    found = re.findall(r"^(duedesk_\S+?(?:\{.*\})?) (\S+)$", slack.duedesk.metrics.page().decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


def requests(slack: Slack) -> dict[tuple[str, str, str], int]:
    """How often each command ended in which way, by door."""
    label = re.compile(r'duedesk_requests_total\{command="(.*)",door="(.*)",outcome="(.*)"\}')
    found = ((label.fullmatch(name), value) for name, value in figures(slack).items())
    return {(match[1], match[2], match[3]): int(value) for match, value in found if match}


@pytest.mark.parametrize("door", DOORS)
@SQLITE
def test_requests_are_counted_by_command_and_how_they_ended(slack: Slack, door: str) -> None:
    slack.world.customer()
    with DOORS[door](slack):
        slack.type("/payment list")
        slack.type("/payment list", by="U0NOBODY")
        slack.type("/payment Acme 500")
        assert slack.fill({})["ok"]
        slack.type("/payment")
        assert not slack.fill({"amount": "a lot"})["ok"]
        body = {"command": "/payment-of-old", "text": "x", "user_id": OWNER, "team_id": TEAM, "trigger_id": "1"}
        slack.sandbox.deliver("slash_commands", body)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(slack.duedesk.desk.store, "read", lambda *_: 1 / 0)
            assert "Something went wrong" in slack.clerk.command("finance", "/aging").text
    counted = requests(slack)
    assert counted["payment", door, "done"] == 3
    assert counted["payment", door, "refused"] == 1
    assert counted["aging", door, "fault"] == 1
    assert counted["other", door, "refused"] == 1
    submits = {ended: times for (name, _, ended), times in counted.items() if name == "payment_record"}
    assert submits.get("done", 0) >= 1
    assert submits.get("refused", 0) >= 1
    assert sum(counted.values()) == sum(
        value for name, value in figures(slack).items() if name.startswith("duedesk_request_seconds_count")
    )


def test_the_book_is_measured_when_asked(slack: Slack) -> None:
    slack.deliver()
    before = figures(slack)
    assert before["duedesk_database_up"] == 1
    assert before['duedesk_outbox_rows{state="waiting"}'] == 0
    assert before["duedesk_outbox_oldest_seconds"] == 0
    assert "duedesk_verify_age_seconds" not in before
    slack.world.pay(10)
    run_sql(slack.world, "UPDATE outbox SET recorded_at = '2020-01-01 00:00:00.000000'")
    now = figures(slack)
    assert now['duedesk_outbox_rows{state="waiting"}'] == 1
    assert now["duedesk_outbox_oldest_seconds"] > 10**8
    assert now["duedesk_seal_lag_seconds"] > 0
    slack.world.store.seal()
    slack.deliver()
    after = figures(slack)
    assert after['duedesk_outbox_rows{state="waiting"}'] == 0
    assert after['duedesk_outbox_rows{state="done"}'] == now['duedesk_outbox_rows{state="done"}'] + 1
    assert after["duedesk_seal_lag_seconds"] == 0
    sent = 'duedesk_deliveries_total{kind="card",result="done"}'
    assert after[sent] == before.get(sent, 0) + 1
    slack.world.pay(10)
    slack.sandbox.faults.add("chat.postMessage", "error", error="is_archived")
    slack.deliver()
    assert figures(slack)['duedesk_deliveries_total{kind="card",result="failed"}'] == 1
    slack.world.pay(10)
    slack.world.store.write(lambda connection: park(connection, "restored"))
    assert figures(slack)['duedesk_outbox_rows{state="parked"}'] == 1


@SQLITE
def test_a_book_that_cannot_be_asked_leaves_the_rest(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(slack.duedesk.desk.store.database, "read", away)
    found = figures(slack)
    assert found["duedesk_database_up"] == 0
    assert not any(name.startswith("duedesk_outbox") for name in found)
    assert any(name.startswith("duedesk_build_info") for name in found)


@SQLITE
def test_a_proof_of_the_books_is_remembered(
    slack: Slack, book_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", book_url)
    assert main(["verify"]) == 0
    found = figures(slack)
    assert 0 <= found["duedesk_verify_age_seconds"] < 60
    assert found["duedesk_verify_findings"] == 0
    run_sql(slack.world, "UPDATE series SET last = last + 1 WHERE name = 'payment'")
    assert main(["verify"]) == 1
    assert figures(slack)["duedesk_verify_findings"] == 1


# --- health, readiness, and the way out -------------------------------------------------------------------------------


@contextmanager
def monitored(slack: Slack) -> Iterator[str]:
    made = Monitor("127.0.0.1", 0, why_not=slack.duedesk.readiness.why_not, metrics=slack.duedesk.metrics.page)
    try:
        yield f"http://127.0.0.1:{made.port}"
    finally:
        made.close()


@SQLITE
def test_a_process_that_is_not_ready_says_why_in_a_word(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    with monitored(slack) as address:
        assert get(f"{address}/healthz") == (200, "ok")
        assert get(f"{address}/readyz") == (200, "ok")
        assert get(f"{address}/metrics")[0] == 200
        assert get(f"{address}/else") == (404, "not found")
        with monkeypatch.context() as patched:
            patched.setattr("bot.storage.schema.newest", lambda: "one that is newer")
            assert get(f"{address}/readyz") == (503, "not ready: schema")
        with monkeypatch.context() as patched:
            patched.setattr(slack.duedesk.desk.store.database, "read", lambda *_: (_ for _ in ()).throw(OSError))
            assert get(f"{address}/readyz") == (503, "not ready: database")
        with monkeypatch.context() as patched:
            patched.setattr(slack.duedesk.readiness, "delivery_died", lambda: True)
            assert get(f"{address}/readyz") == (503, "not ready: delivery")
        slack.duedesk.readiness.stopping = True
        assert get(f"{address}/readyz") == (503, "not ready: stopping")
        assert get(f"{address}/healthz") == (200, "ok")


@SQLITE
def test_delivery_that_ended_by_itself_is_noticed(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = slack.duedesk.delivery
    assert not delivery.has_died
    monkeypatch.setattr(delivery, "_run", lambda: None)
    delivery._thread = threading.Thread(target=delivery._run)
    delivery.start()
    delivery._thread.join()
    assert slack.duedesk.readiness.why_not() == "delivery"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    monkeypatch.chdir(tmp_path)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


@SQLITE
def test_a_stopping_process_says_not_ready_and_finishes_what_is_in_hand(
    book_url: str, world: World, environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP mode as a program: ready, measured, told to stop in the middle of a request, which is answered."""
    sandbox = workspace()
    door, monitor = free_port(), free_port()
    with sandbox.running() as address:
        environment(
            DATABASE_URL=book_url,
            SLACK_API_URL=f"{address}/api/",
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_SIGNING_SECRET=SECRET,
            DUEDESK_DOOR="http",
            DUEDESK_PORT=str(door),
            DUEDESK_METRICS_PORT=str(monitor),
            PYTHONPATH=str(ROOT),
        )
        sandbox.sender.request_url = f"http://127.0.0.1:{door}/slack/events"
        with subprocess.Popen([sys.executable, "-m", "bot", "run"], stderr=subprocess.PIPE, text=True) as program:
            assert program.stderr is not None
            assert "ready, http mode" in program.stderr.readline()
            assert get(f"http://127.0.0.1:{door}/readyz") == (200, "ok")
            assert get(f"http://127.0.0.1:{door}/metrics")[0] == 404
            assert "duedesk_build_info" in get(f"http://127.0.0.1:{monitor}/metrics")[1]
            sandbox.faults.add("views.open", "delay", seconds=1)
            answers: list[Any] = []
            slow = threading.Thread(target=lambda: answers.append(sandbox.person(OWNER).command("finance", "/payment")))
            slow.start()
            while "duedesk_requests_in_hand 1.0" not in get(f"http://127.0.0.1:{monitor}/metrics")[1]:
                time.sleep(0.01)
            program.send_signal(signal.SIGTERM)
            seen = set()
            while program.poll() is None:
                try:
                    seen.add(get(f"http://127.0.0.1:{monitor}/readyz"))
                except OSError:
                    break
                time.sleep(0.02)
            slow.join()
            _, rest = program.communicate(timeout=20)
    assert program.returncode == 0
    assert (503, "not ready: stopping") in seen
    assert answers[0].error is None
    assert sandbox.person(OWNER).modal is not None
    assert '"command": "payment", "door": "http", "outcome": "done"' in rest
    assert "Traceback" not in rest
    found = signs(world.store)
    assert found.request_at is None or found.seen_at is not None


@SQLITE
def test_a_port_that_is_taken_is_said_in_a_sentence(
    book_url: str, world: World, environment: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment(
            DATABASE_URL=book_url,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_SIGNING_SECRET=SECRET,
            DUEDESK_DOOR="http",
            DUEDESK_PORT=port,
        )
        assert main(["run"]) == 2
    assert f"Cannot listen at 127.0.0.1, port {port}: Address already in use.\n" in capsys.readouterr().err


@SQLITE
def test_a_process_shows_in_the_book_that_it_serves_and_was_asked(slack: Slack) -> None:
    stopped = threading.Event()
    slack.sandbox.deliver_to(None)
    shown: list[Any] = []

    def ready() -> None:
        while not slack.sandbox.hub.is_open:
            time.sleep(0.01)
        slack.type("/aging")
        slack.duedesk.pulse.beat()
        shown.append(signs(slack.world.store))
        stopped.set()

    serve(slack.duedesk, stopped, ready)
    assert shown[0].began_at <= shown[0].request_at <= shown[0].seen_at
    assert slack.duedesk.readiness.why_not() == "stopping"
