"""What a process has in hand: kept while it works, handed over at once when it is to stop, never done by two."""

import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse
from sqlalchemy import text

from bot import serving
from bot.app import COMMIT
from bot.desk import Desk
from bot.documents.pool import RendererDied
from bot.jobs.delivery import DeliveryThread, Worker
from bot.jobs.files import FileWorker
from bot.jobs.lease import Kept
from bot.jobs.runner import JobsThread, Runner
from bot.jobs.schedule import JOBS, Job
from bot.parts import EVERY, Part, read_parts, signed_parts, written
from bot.serving import obey
from bot.storage import jobs
from bot.storage.ids import draw_number, process_number
from bot.storage.jobs import Finished, JobRun, JobRuns
from bot.storage.outbox import Outbox
from bot.storage.shelf import Library
from bot.storage.store import Store
from bot.vitals import Pulse
from bot.wakes import BookWakes, Wakes
from tests.jobs.test_delivery import change, recorded, worker_of
from tests.jobs.test_files import due_again, sent_to
from tests.jobs.test_runner import GAP, messages, planned, runs_of
from tests.slack import BOT_TOKEN, Slack
from tests.world import CLERK, World

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])
POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"])
PATIENCE = 20.0


def until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.005)


def runner(world: World, run: Callable[[Desk, JobRun], Finished], name: str) -> Runner:
    """One that plans nothing itself."""
    job = Job(name="digest", targets=lambda _: (), run=run)
    return Runner(world.desk, jobs={"digest": job}, watches={}, name=name)


def test_a_run_that_takes_longer_than_its_lease_is_not_done_by_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five leases long, while another process asks all the time."""
    lease = timedelta(seconds=0.4)
    monkeypatch.setattr(jobs, "LEASE", lease)
    planned(world, GAP)
    at_work, end = threading.Event(), threading.Event()

    def long(_desk: Desk, _run: JobRun) -> Finished:
        at_work.set()
        assert end.wait(PATIENCE)
        return Finished(result="long", payload="{}")

    first = threading.Thread(target=runner(world, long, "first").run_once)
    JobRuns(world.store).plan("digest", GAP, world.today, world.store.now())
    first.start()
    assert at_work.wait(PATIENCE)
    limit = time.monotonic() + 5 * lease.total_seconds()
    while time.monotonic() < limit:
        assert JobRuns(world.store).claim("other", world.store.now()) == ()
        time.sleep(0.02)
    end.set()
    first.join()
    assert [state for *_, state, attempt in runs_of(world) if attempt == 1] == ["done"]
    assert list(messages(world).values()) == [1]


def test_a_run_that_was_taken_over_ends_at_its_next_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.1))
    planned(world, GAP)
    steps: list[int] = []

    def of_steps(_desk: Desk, run: JobRun) -> Finished:
        change_run(world, "UPDATE job_run SET owner = 'other'")
        for step in range(10_000):
            run.go_on()
            steps.append(step)
            time.sleep(0.005)
        return Finished(result="all", payload="{}")

    JobRuns(world.store).plan("digest", GAP, world.today, world.store.now())
    assert runner(world, of_steps, "first").run_once() == 1
    assert len(steps) < 10_000
    assert runs_of(world)[0][2] == "running"
    assert messages(world) == {}


def change_run(world: World, statement: str) -> None:
    world.store.write(lambda connection: connection.exec_driver_sql(statement))


def test_a_job_that_is_told_to_stop_is_gone_on_with_elsewhere_at_once(world: World) -> None:
    """One of steps between two of them; one without when its time is over, and what it finishes then counts no more."""
    planned(world, GAP)
    at_work, end = threading.Event(), threading.Event()
    finished: list[bool] = []

    def of_steps(_desk: Desk, run: JobRun) -> Finished:
        at_work.set()
        while True:
            run.go_on()
            time.sleep(0.005)

    def deaf(_desk: Desk, run: JobRun) -> Finished:
        at_work.set()
        assert end.wait(PATIENCE)
        done = Finished(result="late", payload="{}")
        finished.append(JobRuns(world.store).finish(run, done, world.store.now()))
        return done

    JobRuns(world.store).plan("digest", GAP, world.today, world.store.now())
    for name, (job, seconds) in {"steps": (of_steps, PATIENCE), "deaf": (deaf, 0.0)}.items():
        at_work.clear()
        thread = JobsThread(runner(world, job, name))
        thread.start()
        assert at_work.wait(PATIENCE)
        thread.stop(seconds)
        assert [run[2] for run in runs_of(world)] == ["waiting"]
    assert runner(world, JOBS["digest"].run, "other").run_once() == 1
    end.set()
    until(lambda: bool(finished))
    assert finished == [False]
    assert [run[2:] for run in runs_of(world)] == [("done", 3)]
    assert list(messages(world).values()) == [1]


def test_what_was_claimed_and_not_begun_is_sent_by_another_at_once(slack: Slack) -> None:
    """The first row is in hand when the process is told to stop, and is finished; the others go elsewhere."""
    slack.world.customer()
    slack.deliver()
    for amount in (10, 20, 30):
        recorded(slack, amount)
    other = worker_of(slack)
    in_hand, end = threading.Event(), threading.Event()

    class Slow(WebClient):
        def chat_postMessage(self, **given: Any) -> SlackResponse:  # noqa: N802  # Slack's name
            in_hand.set()
            assert end.wait(PATIENCE)
            return super().chat_postMessage(**given)

    one = Worker(slack.duedesk.desk, Slow(token=BOT_TOKEN, base_url=f"{slack.address}/api/"))
    thread = DeliveryThread(one, threading.Event())
    thread.start()
    assert in_hand.wait(PATIENCE)
    thread.hand_over()
    assert other.run_once() == 2
    end.set()
    thread.stop(PATIENCE)
    assert "waiting" not in Outbox(slack.world.store).counts()
    told = Counter(each["text"].split(" · ")[0] for each in slack.cards() if "PAY-" in each["text"])
    assert told == {f"Payment PAY-000{number}": 1 for number in (1, 2, 3)}
    assert not thread.has_died


@SQLITE
def test_a_row_of_several_calls_is_handed_over_between_them_and_nothing_is_said_twice(slack: Slack) -> None:
    slack.world.customer()
    recorded(slack)
    card = slack.card("PAY-0001")
    slack.clerk.press(card, "Undo")
    one = Worker(slack.duedesk.desk, worker_of(slack).client)
    refreshed = one.client.chat_postMessage

    def posts_and_is_told_to_stop(**given: Any) -> Any:
        answer = refreshed(**given)
        one.stopping.set()
        return answer

    one.client.chat_postMessage = posts_and_is_told_to_stop  # type: ignore[method-assign]  # the signal comes now
    assert one.run_once() == 1
    del one.client.chat_postMessage
    (waiting,) = Outbox(slack.world.store).undelivered()
    assert waiting.error == "handed over"
    slack.deliver()
    assert len(slack.thread(card)) == 1
    assert "void" in slack.card("PAY-0001")["text"]


@SQLITE
def test_a_file_that_is_being_made_is_left_to_another(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    slack.world.invoice(slack.world.customer(), 100)
    slack.type("/aging csv")
    files = slack.duedesk.files.worker
    one = FileWorker(files.desk, files.client, files.renderer, files.book)

    def told_to_stop(*_: Any) -> None:
        one.hand_over()
        raise RendererDied

    with monkeypatch.context() as patch:
        patch.setattr(files.renderer, "make", told_to_stop)
        assert one.run_once() == 1
    assert files.run_once() == 1
    assert len(sent_to(slack, CLERK)) == 1
    assert sum(entry["name"] == "files.list" for entry in slack.sandbox.traffic) == 0  # it was never tried


@SQLITE
def test_a_file_is_not_sent_without_having_looked(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sending was not noted, and Slack is busy when it is looked for."""
    slack.world.invoice(slack.world.customer(), 100)
    slack.type("/aging csv")
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "done", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            slack.duedesk.files.worker.run_once()
    for kind in ("ratelimited", "server_error", "timeout_after"):
        due_again(slack)
        slack.sandbox.faults.add("files.list", kind)
        assert slack.duedesk.files.worker.run_once() == 1
        assert Outbox(slack.world.store).counts()["waiting"] >= 1
    due_again(slack)
    slack.deliver()
    assert len(sent_to(slack, CLERK)) == 1


def test_a_lease_is_kept_only_while_its_block_lasts(world: World) -> None:
    planned(world, GAP)
    JobRuns(world.store).plan("digest", GAP, world.today, world.now)
    (run,) = JobRuns(world.store).claim("one", world.now)
    with Kept(run, lambda _: True, threading.Event()) as held:
        held.go_on()
        assert held == run
    assert not [each for each in threading.enumerate() if each.name == f"lease of job-{run.id}"]


@POSTGRESQL
def test_a_process_without_delivery_wakes_another_that_has_it(
    world: World, book_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the database, beside the commit; what a process itself says does not wake it again."""
    woken, own = threading.Event(), threading.Event()
    with closing(Library(book_url)) as library:
        there = Wakes(Store.open(library), {COMMIT: (woken.set,)})
        here = Wakes(world.store, {COMMIT: (own.set,)})
        there.start(tells=frozenset(), listens=True)
        here.start(tells=frozenset({COMMIT}), listens=True)
        try:
            limit = time.monotonic() + PATIENCE
            while not woken.wait(0.05):  # it may not listen yet
                own.clear()
                here.ring(COMMIT)
                assert own.is_set()
                own.clear()
                assert time.monotonic() < limit
            assert not own.is_set()
            woken.clear()
            cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            monkeypatch.setattr("bot.wakes.AWAY_SECONDS", 0.01)
            world.store.write(lambda connection: connection.execute(cut).all())
            while not woken.wait(0.05):  # it listens again
                here.ring(COMMIT)
                assert time.monotonic() < limit
        finally:
            here.stop()
            there.stop()


@POSTGRESQL
def test_of_many_books_the_one_that_has_work_is_woken_in_another_process(world: World, book_url: str) -> None:
    heard = queue.SimpleQueue[str]()
    with closing(Library(book_url)) as library:
        there = BookWakes(Store.open(library), {COMMIT: (heard.put,)})
        here = BookWakes(world.store, {COMMIT: (lambda _: None,)})
        there.start(tells=frozenset(), listens=True)
        here.start(tells=frozenset({COMMIT}), listens=False)
        try:
            limit = time.monotonic() + PATIENCE
            while heard.empty():  # it may not listen yet
                here.ring(f"{COMMIT}:T0ALPHA")
                assert time.monotonic() < limit
                time.sleep(0.05)
            assert heard.get() == "T0ALPHA"
        finally:
            here.stop()
            there.stop()
            for each in [each for each in threading.enumerate() if each.name == "wakes"]:
                each.join(PATIENCE)


@SQLITE
def test_where_nothing_is_carried_between_processes_nobody_is_told(world: World) -> None:
    woken, before = threading.Event(), set(threading.enumerate())
    wakes = Wakes(world.store, {COMMIT: (woken.set,)})
    wakes.start(tells=frozenset({COMMIT}), listens=True)
    wakes.ring(COMMIT)
    assert woken.is_set()
    assert not [each for each in set(threading.enumerate()) - before if each.name == "wakes"]


def test_a_first_signal_stops_a_second_ends_at_once_and_time_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    stopped, ended = threading.Event(), queue.SimpleQueue[int]()
    try:
        obey(stopped, ended.put)
        signal.raise_signal(signal.SIGTERM)
        assert stopped.wait(PATIENCE)
        assert ended.empty()
        signal.raise_signal(signal.SIGTERM)
        assert ended.get(timeout=PATIENCE) == 143
        monkeypatch.setattr(serving, "GRACE_SECONDS", -1.0)
        obey(stopped, ended.put)
        signal.raise_signal(signal.SIGINT)
        assert ended.get(timeout=PATIENCE) == 1
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_parts_are_read_and_signed() -> None:
    assert read_parts("web") == {Part.WEB}
    assert read_parts("delivery, jobs") == {Part.JOBS, Part.DELIVERY}
    with pytest.raises(ValueError, match="there are web, jobs, delivery"):
        read_parts("web,doors")
    assert written(EVERY) == "web+jobs+delivery"
    assert signed_parts("host:1:ab web+jobs 17") == {Part.WEB, Part.JOBS}
    assert signed_parts("host:1:ab") == EVERY


def test_a_process_takes_a_number_for_its_ids_that_no_other_has(slack: Slack) -> None:
    metrics = slack.duedesk.metrics
    before = process_number()
    first = Pulse(slack.world.store, "one", metrics)
    first.start()
    assert process_number() == before
    second = Pulse(slack.world.store, "two", metrics)
    second.start()
    assert process_number() != before
    first.stop()
    second.stop()
    assert draw_number(set(range(4096)) - {7}) == 7
    draw_number()
    change(slack, "DELETE FROM pulse")
