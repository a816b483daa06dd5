"""Several real processes of the bot on one PostgreSQL behind a small balancer, under load, some of them killed."""

import contextlib
import http.client
import itertools
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, text

from bot.__main__ import main
from bot.desk import UNKNOWN, content_hash
from bot.domain.customers import Customer
from bot.domain.money import Money
from bot.domain.operation import Actor, Request
from bot.domain.payments import Method, RecordPayment, record_payment
from bot.storage.faults import BUSY
from bot.storage.outbox import Outbox
from bot.storage.store import Store
from sandbox.deliver.send import NO_ANSWER, loaded
from sandbox.server import Sandbox

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
START_SECONDS = 60.0
READY = '"says": "ready'
ANSWER_SECONDS = 10.0
LOOK_SECONDS = 0.3
BAD_GATEWAY, OK = 502, 200
MOST_PRESSES = 40
AGAIN_SECONDS = 0.2
EVERY_REDELIVERED = 5


Ended = Callable[[], int | None]
Launch = Callable[[Sequence[str], dict[str, str], Path], tuple[int, Ended]]


def command(arguments: Sequence[str], environment: dict[str, str], log: Path) -> tuple[int, Ended]:
    """Type `duedesk run`: the program with its imports, as an operator starts it."""
    line = [sys.executable, "-m", "bot", "run", *arguments]
    with log.open("wb") as out:
        program = subprocess.Popen(line, cwd=log.parent, env={**os.environ, **environment}, stderr=out)
    return program.pid, program.poll


def fork(arguments: Sequence[str], environment: dict[str, str], log: Path) -> tuple[int, Ended]:
    """The same in a process of its own that has its imports already, which take a processor seconds each time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bot.app", "bot.serving", "uvicorn"])
    process = context.Process(target=_run, args=(list(arguments), environment, log))
    process.start()
    assert process.pid is not None
    return process.pid, lambda: process.exitcode


def _run(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    os.environ.update(environment)
    os.chdir(log.parent)
    with log.open("wb") as out:
        os.dup2(out.fileno(), sys.stderr.fileno())
    sys.exit(main(["run", *arguments]))


@dataclass
class Replica:
    """One process, where it listens, and what it logs."""

    pid: int
    ended: Ended
    port: int
    monitor: int
    log: Path

    @property
    def is_ready(self) -> bool:
        """What it says to who watches it."""
        return status_of(self.monitor, "/readyz") == OK

    def says(self, words: str) -> bool:
        return self.log.exists() and words in self.log.read_text(encoding="utf-8")

    def await_end(self, seconds: float) -> int:
        """What it ended with."""
        limit = time.monotonic() + seconds
        while (status := self.ended()) is None:
            assert time.monotonic() < limit, "a process does not end"
            time.sleep(0.01)
        return status


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return NO_ANSWER
    finally:
        connection.close()


def free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        return int(taken.getsockname()[1])


class Fleet:
    """Processes of one book: begun, told to stop, killed; none is left at the end."""

    def __init__(self, environment: dict[str, str], folder: Path, launch: Launch = command) -> None:
        self._environment = environment
        self._folder = folder
        self._launch = launch
        self.all: list[Replica] = []

    def begin(self, *arguments: str) -> Replica:
        """Start `duedesk run`, and do not wait for it."""
        port, monitor = free_port(), free_port()
        log = self._folder / f"{len(self.all)}.log"
        own = {"DUEDESK_PORT": str(port), "DUEDESK_METRICS_PORT": str(monitor), "PYTHONPATH": str(ROOT)}
        pid, ended = self._launch(arguments, {**self._environment, **own}, log)
        self.all.append(Replica(pid, ended, port, monitor, log))
        return self.all[-1]

    @property
    def alive(self) -> list[Replica]:
        return [each for each in self.all if each.ended() is None]

    @staticmethod
    def await_ready(*wanted: Replica) -> None:
        limit = time.monotonic() + START_SECONDS
        while not all(each.says(READY) for each in wanted):
            dead = [each for each in wanted if each.ended() is not None]
            assert not dead, dead[0].log.read_text(encoding="utf-8")
            assert time.monotonic() < limit, "a process does not get ready"
            time.sleep(0.02)

    @staticmethod
    def kill(replica: Replica) -> None:
        os.kill(replica.pid, signal.SIGKILL)
        replica.await_end(10)

    @staticmethod
    def stop(replica: Replica) -> None:
        """Tell it to stop, as whoever starts a new version does."""
        os.kill(replica.pid, signal.SIGTERM)

    def end(self) -> None:
        for each in self.alive:
            self.kill(each)

    @staticmethod
    def end_leases_of(dead: Replica, store: Store) -> int:
        """As if the two minutes of its leases had gone by; returns how many things it had in hand."""
        whose = {"owner": f"%:{dead.pid}:%"}
        over = [
            "UPDATE outbox SET lease_until = '2020-01-01' WHERE state = 'waiting' AND lease_owner LIKE :owner",
            "UPDATE job_run SET lease_until = '2020-01-01' WHERE state = 'running' AND owner LIKE :owner",
        ]

        def work(connection: Connection) -> int:
            return sum(connection.execute(text(each), whose).rowcount for each in over)

        return store.write(work)


class Balancer:
    """Asks who is ready and goes from one to the next; what was handed over is never sent to a second one."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._turn = itertools.count()
        self._ready: list[int] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.served: Counter[int] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=5)

    def _look(self) -> None:
        while not self._end.is_set():
            self._ready = [each.port for each in self._fleet.alive if status_of(each.port, "/readyz") == OK]
            self._end.wait(LOOK_SECONDS)

    def __call__(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
        ready = list(self._ready)
        first = next(self._turn)
        for port in (ready[(first + each) % len(ready)] for each in range(len(ready))):
            connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
            try:
                connection.connect()
            except OSError:
                connection.close()
                continue  # nothing was handed over yet
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                said = answer.read().decode()
            except (OSError, http.client.HTTPException):
                return BAD_GATEWAY, {}, ""
            finally:
                connection.close()
            self.served[port] += 1
            return answer.status, {}, said
        return BAD_GATEWAY, {}, ""


@dataclass
class Load:
    """People who record payments, one after the other, and press again when no answer comes, as people do."""

    sandbox: Sandbox
    team: str
    people: Sequence[str]
    customers: Sequence[Customer]
    answered: dict[int, list[str]] = field(default_factory=dict)
    waits_ms: list[float] = field(default_factory=list)
    unanswered: int = 0  # presses that a death swallowed
    busy: int = 0  # presses that were answered with that nothing was done, or that it is not known
    redelivered: int = 0
    seconds: float = 0.0
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    _serial: "itertools.count[int]" = field(default_factory=itertools.count)

    @contextlib.contextmanager
    def going(self) -> Iterator[None]:
        """Everybody works until the block ends."""
        began = time.monotonic()
        end = threading.Event()
        threads = [threading.Thread(target=self._work, args=(each, end)) for each in self.people]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            end.set()
            for each in threads:
                each.join()
            self.seconds = time.monotonic() - began

    def _work(self, person: str, end: threading.Event) -> None:
        while not end.is_set():
            self._record(next(self._serial), person)

    def _record(self, number: int, person: str) -> None:
        """One payment: the same form is submitted until somebody answers, and some of them twice more at once."""
        delivery = self.sandbox.deliver("interactive", self._form(number, person))
        for _ in range(MOST_PRESSES):
            if delivery.error is None and not _is_busy(delivery.answer):
                break
            self.unanswered += delivery.error is not None
            self.busy += delivery.error is None
            time.sleep(AGAIN_SECONDS)
            (delivery,) = self.sandbox.redeliver(delivery.id)
        assert delivery.error is None, "nobody answers"
        said = [delivery]
        if number % EVERY_REDELIVERED == 0:
            self.redelivered += 2
            said += self.sandbox.redeliver(delivery.id, times=2, parallel=True)
        self.waits_ms.append(delivery.elapsed_ms)
        answers = [each.answer for each in said if each.error is None]
        self.answered[number] = [_title(each) for each in answers if not _is_busy(each)]

    def _form(self, number: int, person: str) -> dict[str, Any]:
        """The confirming press of a previewed form, as Slack sends it."""
        customer = self.customers[number % len(self.customers)]
        command = RecordPayment(
            payer=customer.name,
            amount=Money(10_000_000 + number * 10_000, customer.currency),
            received_on=self.today,
            method=Method.BANK_TRANSFER,
            reference=f"R-{number}",
            customer_id=customer.id,
        )
        request = Request(
            actor=Actor(team=self.team, user=person),
            now=datetime.now(UTC),
            key="form",
            request_id="form",
            command="form",
        )
        about = {"intent": f"load-{number}", "about": {}, "hash": content_hash(record_payment, command, request)}
        filled: dict[str, dict[str, Any]] = {
            "customer": {"selected_option": _chosen(customer.name, str(customer.id))},
            "amount": {"value": str(command.amount.decimal())},
            "received_on": {"selected_date": self.today.isoformat()},
            "method": {"selected_option": _chosen("Bank transfer", Method.BANK_TRANSFER.value)},
            "reference": {"value": command.reference},
        }
        view = {
            "id": f"V{number}",
            "type": "modal",
            "callback_id": "payment_record",
            "private_metadata": json.dumps(about),
            "state": {"values": {name: {name: value} for name, value in filled.items()}},
        }
        return {
            "type": "view_submission",
            "team": {"id": self.team},
            "user": {"id": person, "team_id": self.team},
            "trigger_id": f"{number}.1",
            "view": view,
        }

    def percentile(self, part: float) -> float:
        """How long answers took, in milliseconds."""
        return sorted(self.waits_ms)[min(len(self.waits_ms) - 1, int(len(self.waits_ms) * part))]


def _chosen(words: str, value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": words}, "value": value}


def _is_busy(answer: str) -> bool:
    return BUSY in answer or UNKNOWN in answer


def _title(answer: str) -> str:
    view = (loaded(answer) or {}).get("view") or {}
    return str((view.get("title") or {}).get("text"))


@dataclass(frozen=True)
class Effects:
    """What came of a load: in the books, and in the channel."""

    lost: list[int]  # answered, and not in the books
    doubled: list[int]
    unsure: list[int]  # answered with something else than that it was done
    undelivered: list[str]  # payments without a card
    carded_twice: list[str]
    findings: int
    cards: int

    @property
    def are_right(self) -> bool:
        return not (self.lost or self.doubled or self.unsure or self.undelivered or self.carded_twice or self.findings)


def effects(load: Load, store: Store, channel: str) -> Effects:
    """Compare what people were told with the books, and the books with the channel; and prove the books."""
    statement = text("SELECT number, reference FROM payment WHERE reference LIKE 'R-%'")
    rows = store.database.read(lambda connection: connection.execute(statement).all(), None)
    times = Counter(int(row.reference.removeprefix("R-")) for row in rows)
    with load.sandbox.workspace.lock:
        posted = [each for each in load.sandbox.workspace.messages[channel] if not each.thread_ts]
    cards = Counter(each.text.split(" · ")[0].removeprefix("Payment ") for each in posted)
    while store.seal():
        pass
    return Effects(
        lost=[number for number in load.answered if not times[number]],
        doubled=[number for number, found in times.items() if found > 1],
        unsure=[number for number, said in load.answered.items() if not {"Done"}.issuperset(said)],
        undelivered=[row.number for row in rows if not cards[row.number]],
        carded_twice=[row.number for row in rows if cards[row.number] > 1],
        findings=len(store.verify()),
        cards=sum(cards[row.number] for row in rows),
    )


def delivered(store: Store, seconds: float) -> float:
    """Wait until nothing waits in the outbox; returns how long that took."""
    began = time.monotonic()
    while Outbox(store).counts().get("waiting"):
        assert time.monotonic() - began < seconds, Outbox(store).undelivered()[:3]
        time.sleep(0.05)
    return time.monotonic() - began
