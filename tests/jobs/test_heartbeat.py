"""The heartbeat proves the book each day; the list shows all that runs, wherever it ran, and runs it by hand."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.desk import Desk
from bot.domain.job_plans import HEARTBEAT, JOB_PLANS, WATCH_PLANS
from bot.domain.month_plans import BOOK
from bot.domain.operation import Role
from bot.handlers.blocks.heartbeat import MOST_LINES, heartbeat_blocks
from bot.handlers.jobs import NAMES
from bot.jobs import lease
from bot.jobs.heartbeat import told_of
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS, RUNS, Job
from bot.jobs.watches import WATCHES
from bot.storage import guards
from bot.storage.jobs import Finished, JobRun, JobRuns
from bot.storage.pulse import beat, looked, looks
from sandbox.client import shown
from sandbox.validate import check_message
from tests.domain.expect import run_sql
from tests.slack import Slack
from tests.test_metrics import figures
from tests.world import ADMIN, CLERK, MANAGER, OWNER, VIEWER, World

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])


def run(slack: Slack, days: int = 0, **jobs: Job) -> int:
    slack.world.now += timedelta(days=days)
    chosen = jobs or {HEARTBEAT: JOBS[HEARTBEAT]}
    return Runner(slack.duedesk.desk, jobs=chosen, now=lambda: slack.world.now).run_once()


def heartbeats(slack: Slack, channel: str = "finance") -> list[dict[str, Any]]:
    slack.deliver()
    return [each for each in slack.owner.messages(channel) if "Heartbeat" in each["text"]]


def mentions(message: dict[str, Any]) -> list[str]:
    """Who is named in the blocks, so that Slack notifies them."""
    elements = [
        each for block in message["blocks"] for part in block.get("elements", ()) for each in part.get("elements", ())
    ]
    return [each["user_id"] for each in elements if each["type"] == "user"]


def spoil(world: World, statement: str) -> None:
    """Somebody with the database in hand: the guards are put out of the way first."""

    def work(connection: Any) -> None:
        if connection.dialect.name == "sqlite":
            for each in guards.remove("sqlite"):
                connection.exec_driver_sql(each)
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(statement)

    world.store.write(work)


def test_a_book_that_is_right_is_green_and_a_broken_one_calls_people_until_it_is_right(slack: Slack) -> None:
    acme = slack.world.customer(name="Acme Pte Ltd")
    slack.world.invoice(acme, 300, due=30, auto=False)
    slack.world.pay(20, acme)
    slack.deliver()
    assert run(slack) == 1
    assert run(slack) == 0
    (green,) = heartbeats(slack)
    said = shown(green)
    assert green["text"] == "Heartbeat · Mon 23 Nov 2026 · the books are right ✓"
    assert "1 customer, 3 entries, 1 open item tie" in said
    head = slack.world.store.database.read(
        lambda connection: connection.execute(text("SELECT seq, hash FROM audit_seal ORDER BY seq DESC LIMIT 1")).one(),
        None,
    )
    assert f"Audit chain: {head.seq} links, head {head.hash}" in said
    assert "Everything was delivered; no job failed." in said
    assert (len(green["blocks"]), mentions(green), "<@" in green["text"]) == (1, [], False)
    assert 0 <= figures(slack)["duedesk_heartbeat_age_seconds"] < 60
    last_good = "UPDATE pulse SET seen_at = '2026-01-01 00:00:00' WHERE kind = 'heartbeat'"
    run_sql(slack.world, last_good)
    spoil(slack.world, "UPDATE invoice SET open_micros = open_micros - 1000000 WHERE number = 'INV-0001'")
    for days in (1, 1):
        assert run(slack, days) == 1
        red = heartbeats(slack)[-1]
        assert red["text"].startswith(f"<@{OWNER}> <@{ADMIN}> Heartbeat")
        assert "RED: the books are not right" in red["text"]
        assert mentions(red) == [OWNER, ADMIN]
        assert "invoice open amount\n• invoice INV-0001: kept 299000000, recomputed 300000000" in shown(red)
    assert figures(slack)["duedesk_heartbeat_age_seconds"] > 10**6
    assert figures(slack)["duedesk_verify_findings"] > 0
    assert "RED: " in slack.type("/duedesk jobs", by=VIEWER)
    spoil(slack.world, "UPDATE invoice SET open_micros = open_micros + 1000000 WHERE number = 'INV-0001'")
    run(slack, 1)
    assert "the books are right ✓" in heartbeats(slack)[-1]["text"]
    assert figures(slack)["duedesk_heartbeat_age_seconds"] < 60


@SQLITE
def test_what_was_not_sent_and_what_failed_is_said_and_calls_nobody(slack: Slack) -> None:
    slack.world.pay(500)
    slack.sandbox.faults.add("chat.postMessage", "error", error="is_archived")
    slack.deliver()
    runs = JobRuns(slack.world.store)
    runs.plan("digest", "C0DIGEST", slack.world.today, slack.world.now)

    def breaks(_desk: Desk, _run: JobRun) -> Finished:
        raise RuntimeError

    broken = Job(name="digest", targets=lambda _settings: [], run=breaks)
    while run(slack, digest=broken):
        slack.world.now += timedelta(minutes=11)
    slack.world.now = max(slack.world.now, slack.world.store.now())
    run_sql(slack.world, "UPDATE job_run SET finished_at = CURRENT_TIMESTAMP WHERE state = 'failed'")
    looked(slack.world.store, {"limits": "OperationalError"})
    told = told_of(JOBS[HEARTBEAT].run(slack.duedesk.desk, _planned(slack)).payload)
    assert [(each.name, each.why) for each in told.failed] == [
        ("digest", "attempt 8: RuntimeError"),
        ("limits", "OperationalError"),
    ]
    run(slack)
    message = heartbeats(slack)[-1]
    assert message["text"].endswith("the books are right ✓; 1 message not delivered; 1 job failed")
    assert "Not delivered: 1 (is_archived); duedesk outbox list names each" in shown(message)
    assert mentions(message) == []


def _planned(slack: Slack) -> JobRun:
    runs = JobRuns(slack.world.store)
    runs.plan(HEARTBEAT, BOOK, slack.world.today, slack.world.now)
    found = runs.newest(HEARTBEAT, BOOK)
    assert found is not None
    return found


@SQLITE
def test_the_heartbeat_has_its_time_and_channel_and_is_switched_off(slack: Slack) -> None:
    slack.world.now = datetime(2026, 11, 24, 6, 59, tzinfo=UTC)
    assert run(slack) == 0
    slack.type("/duedesk settings heartbeat 6:30", by=OWNER)
    slack.type("/duedesk settings heartbeat_channel #digest", by=OWNER)
    assert "must be private" in slack.type("/duedesk settings heartbeat_channel #public", by=OWNER)
    assert "is no time of day" in slack.type("/duedesk settings heartbeat soon", by=OWNER)
    assert run(slack) == 1
    assert len(heartbeats(slack, "digest")) == 1
    assert heartbeats(slack) == []
    slack.type("/duedesk settings heartbeat off", by=OWNER)
    assert run(slack, 1) == 0
    assert "so nobody is told when the books are wrong" in slack.type("/duedesk jobs", by=VIEWER)
    assert "duedesk_heartbeat_age_seconds" not in figures(slack)
    assert "On its way: the heartbeat of" in slack.type("/duedesk jobs run heartbeat", by=ADMIN)
    assert run(slack) == 1


def test_a_run_keeps_its_lease_for_as_long_as_it_takes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """To prove a large book takes longer than a lease: no other process may take it over meanwhile, again and again."""
    monkeypatch.setattr(lease, "BEATS", 12_000)
    moment = [world.now]
    taken: list[int] = []

    def slow(_desk: Desk, run: JobRun) -> Finished:
        moment[0] += timedelta(minutes=3)
        held = text("SELECT COUNT(*) FROM job_run WHERE lease_until > :until")
        until = {"until": world.now + timedelta(minutes=4)}
        for _ in range(500):
            if world.store.write(lambda connection: connection.execute(held, until).scalar()):
                break
            threading.Event().wait(0.01)
        taken.append(len(JobRuns(world.store).claim("other", moment[0])))
        return Finished(result="done", payload="", kind="test")

    jobs = {HEARTBEAT: Job(name=HEARTBEAT, targets=JOBS[HEARTBEAT].targets, run=slow)}
    assert Runner(world.desk, jobs=jobs, watches={}, now=lambda: moment[0]).run_once() == 1
    assert taken == [0]
    found = JobRuns(world.store).newest(HEARTBEAT, BOOK)
    assert found is not None
    assert (found.state, found.attempt) == ("done", 1)


@SQLITE
def test_the_list_shows_all_that_runs_and_what_is_in_the_tables(slack: Slack) -> None:
    assert set(JOBS) == set(JOB_PLANS) == set(RUNS)
    assert set(WATCHES) == set(WATCH_PLANS)
    slack.type("/duedesk settings digest_channel #digest", by=OWNER)
    before = slack.type("/duedesk jobs", by=VIEWER)
    assert all(f"{name} " in before for name in NAMES)
    assert "has not looked yet" in before
    assert before.count("not before a process runs") == len(WATCH_PLANS) + 1
    beat(slack.world.store, "machine:1", began_ago=5, request_ago=None)
    Runner(slack.duedesk.desk, now=lambda: slack.world.now).run_once()
    slack.deliver()
    after = slack.type("/duedesk jobs", by=VIEWER)
    assert "Last run: Mon 23 Nov 2026: posted; the books are right" in after
    assert "Next run: Tue 24 Nov 2026 07:00 (UTC)" in after
    assert "Next look: within 10 seconds" in after
    assert "Next look: within 10 minutes" in after
    assert "everything is sent" in after
    for line, said in (
        ("run limits --date 2026-11-20", "limits looks at what there is now"),
        ("run heartbeat --date 2026-11-20", "The heartbeat is of what there is now"),
        ("run delivery", "Delivery looks now; 0 messages to send."),
        ("run digest --date 2026-11-20", "On its way: the digest of Fri 20 Nov 2026"),
        ("run month-end —date 2026-10", "On its way: the month end of 2026-10; what it comes to"),
        ("run heartbeat", "Done already: the heartbeat of Mon 23 Nov 2026; nothing was posted. Add again to prove"),
    ):
        assert said in slack.type(f"/duedesk jobs {line}", by=ADMIN).replace("`", ""), line
    assert "right of an administrator" in slack.type("/duedesk jobs run approvals", by=CLERK)


@SQLITE
def test_a_watch_that_is_asked_for_looks_at_once_each_time(slack: Slack) -> None:
    calls: Counter[str] = Counter()

    def watch(_desk: Desk, _now: datetime) -> int:
        calls["limits"] += 1
        return 3 if calls["limits"] > 1 else 0

    for _ in range(2):
        assert "limits looks now" in slack.type("/duedesk jobs run limits", by=ADMIN)
        Runner(slack.duedesk.desk, jobs={}, watches={"limits": watch}, now=lambda: slack.world.now).run_once()
    assert calls["limits"] == 4
    assert looks(slack.world.store)["limits"].did == 3
    assert "did 3 at" in slack.type("/duedesk jobs", by=MANAGER)


def test_looks_are_written_once_a_minute_whoever_looks_and_at_once_when_something_happens(world: World) -> None:
    idle: dict[str, int | str] = dict.fromkeys(WATCH_PLANS, 0)
    assert looked(world.store, idle)
    assert not any(looked(world.store, idle) for _ in range(5))
    assert looked(world.store, {**idle, "limits": 2})
    assert not looked(world.store, idle)
    assert looked(world.store, {**idle, "top-ups": "OperationalError"})
    assert not looked(world.store, {**idle, "top-ups": "OperationalError"})
    known = looks(world.store)
    assert (known["limits"].did, known["top-ups"].fault, known["approvals"].acted_at) == (2, "OperationalError", None)
    assert looked(world.store, idle)
    known = looks(world.store)
    assert (known["limits"].did, known["top-ups"].fault) == (2, "")
    run_sql(world, "UPDATE pulse SET seen_at = '2026-01-01 00:00:00' WHERE name = 'watch approvals'")
    assert looked(world.store, idle)
    assert known["approvals"].at > datetime(2026, 1, 1, tzinfo=UTC)


@SQLITE
def test_a_red_heartbeat_with_many_findings_fits_a_message_and_counts_them_all(slack: Slack) -> None:
    for index in range(60):
        slack.world.customer(f"C{index:02}")
    spoil(slack.world, "UPDATE customer SET limit_micros = 1, receivable_micros = 1000000")
    told = told_of(JOBS[HEARTBEAT].run(slack.duedesk.desk, _planned(slack)).payload)
    assert told.found > MOST_LINES
    assert told.called == (OWNER, ADMIN)
    assert slack.world.store.read(lambda books: books.people())[0].role is Role.OWNER
    blocks = heartbeat_blocks(told, slack.world.store.read(lambda books: books.settings()))
    assert check_message({"text": "x", "blocks": blocks}) == []
    lines = [line for line in shown({"blocks": blocks}).splitlines() if ": kept " in line or " more of: " in line]
    counted = sum(int(line.split()[2].replace(",", "")) if " more of: " in line else 1 for line in lines)
    assert counted == told.found
