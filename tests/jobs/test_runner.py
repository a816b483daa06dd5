"""Each period of a job is done once: by two processes, over both changes of the clocks, after outages and deaths."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.desk import Desk
from bot.domain.plan_digest import PlanDigest, plan_digest
from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.runner import JobsThread, Runner
from bot.jobs.schedule import JOBS, Job
from bot.storage.jobs import LEASE, MOST_ATTEMPTS, Asked, Finished, JobRun, JobRuns
from tests.world import ADMIN, OWNER, START, World

ROOT = Path(__file__).parents[2]
GAP, FOLD = "C0GAP", "C0FOLD"
SPRING, AUTUMN = datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def planned(world: World, channel: str, at: str = "09:00", days: str = "daily") -> None:
    world.do(plan_digest, PlanDigest(channel=channel, at=at, days=days), by=ADMIN)


def runs_of(world: World) -> list[tuple[str, date, str, int]]:
    statement = text("SELECT target, day, state, attempt FROM job_run ORDER BY target, id")
    rows = world.store.database.read(lambda connection: connection.execute(statement).all(), None)
    return [(row[0], date.fromisoformat(str(row[1])), row[2], int(row[3])) for row in rows]


def messages(world: World) -> Counter[tuple[str, int]]:
    """How many digests were put in the outbox, by channel and run."""
    statement = text("SELECT destination, document_id FROM outbox WHERE kind = 'digest'")
    rows = world.store.database.read(lambda connection: connection.execute(statement).all(), None)
    return Counter((row[0], int(row[1])) for row in rows)


def race(url: str, instants: Sequence[datetime]) -> int:
    """Two processes at once, instant by instant; how many runs they did together."""
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.racer", url, name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    done = 0
    for instant in instants:
        for child in children:
            assert child.stdin is not None
            child.stdin.write(f"{instant.isoformat()}\n")
            child.stdin.flush()
        for child in children:
            assert child.stdout is not None
            done += int(child.stdout.readline())
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0, 0]
    return done


def around(midnight: datetime) -> list[datetime]:
    """Half hours of the nights on which New York changes its clocks, and of those beside."""
    return [midnight + timedelta(days=day, minutes=30 * half) for day in (-1, 0, 1) for half in range(9, 17)]


def test_two_processes_do_each_day_once_over_both_nights_and_after_an_outage(world: World, book_url: str) -> None:
    world.do(change_setting, ChangeSetting(name="zone", value="America/New_York"), by=OWNER)
    planned(world, GAP, at="02:30")
    planned(world, FOLD, at="01:30")
    after_outage = datetime(2026, 11, 6, 12, tzinfo=UTC)
    instants = [*around(SPRING), *around(AUTUMN), after_outage, after_outage + timedelta(minutes=1)]
    did = race(book_url, instants)
    # The evening before the first night is the first day; the night after a silence begins with the newest day alone.
    days = [date(2026, 3, day) for day in (6, 7, 8, 9)]
    days += [date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 6)]
    wanted = [(channel, day, "done") for channel in (FOLD, GAP) for day in days]
    assert [run[:3] for run in runs_of(world)] == wanted
    assert did == len(wanted)
    assert sorted(messages(world).values()) == [1] * len(wanted)


def test_a_run_whose_worker_died_is_taken_over_once_its_lease_ended(world: World) -> None:
    planned(world, GAP)
    runs = JobRuns(world.store)
    assert runs.plan("digest", GAP, world.today, world.now)
    assert not runs.plan("digest", GAP, world.today, world.now)
    (dead,) = runs.claim("dead", world.now)
    assert runs.claim("other", world.now + LEASE - timedelta(seconds=1)) == ()
    assert (
        Runner(
            world.desk,
            jobs={"digest": JOBS["digest"]},
            now=lambda: world.now + LEASE + timedelta(seconds=1),
            name="other",
        ).run_once()
        == 1
    )
    assert runs_of(world) == [(GAP, world.today, "done", 2)]
    assert not runs.finish(dead, Finished(result="late", payload="{}"), world.now)
    assert list(messages(world).values()) == [1]


def test_a_failing_channel_stops_no_other_and_ends_as_failed_for_all_to_see(world: World) -> None:
    planned(world, FOLD)
    planned(world, GAP)

    def fails_for_one(desk: Desk, run: JobRun) -> Finished:
        if run.target == GAP:
            raise RuntimeError("no such luck")
        return JOBS["digest"].run(desk, run)

    jobs = {"digest": Job(name="digest", targets=JOBS["digest"].targets, run=fails_for_one)}
    runs = JobRuns(world.store)
    moment = [world.now]
    runner = Runner(world.desk, jobs=jobs, now=lambda: moment[0])
    tries = 0
    for _ in range(60):
        tries += runner.run_once()
        moment[0] += timedelta(minutes=1)
    assert runs_of(world) == [(FOLD, world.today, "done", 1), (GAP, world.today, "failed", MOST_ATTEMPTS)]
    assert tries == MOST_ATTEMPTS + 1
    failed = runs.newest("digest", GAP)
    assert failed is not None
    assert failed.error == f"attempt {MOST_ATTEMPTS}: RuntimeError"
    assert runs.ask("digest", GAP, world.today, moment[0], by=ADMIN) is Asked.PLANNED
    assert Runner(world.desk, jobs={"digest": JOBS["digest"]}, now=lambda: moment[0]).run_once() == 1
    assert [state for _, _, state, _ in runs_of(world)] == ["done", "done"]


def test_a_run_that_still_fails_when_the_next_is_due_is_given_up(world: World) -> None:
    planned(world, GAP)

    def fails(_desk: Desk, _run: JobRun) -> Finished:
        raise RuntimeError

    jobs = {"digest": Job(name="digest", targets=JOBS["digest"].targets, run=fails)}
    Runner(world.desk, jobs=jobs, now=lambda: world.now).run_once()
    tomorrow = world.now + timedelta(days=1)
    assert Runner(world.desk, jobs={"digest": JOBS["digest"]}, now=lambda: tomorrow).run_once() == 1
    assert runs_of(world) == [(GAP, world.today, "failed", 1), (GAP, tomorrow.date(), "done", 1)]


def test_a_plan_that_nobody_made_does_nothing(world: World) -> None:
    assert Runner(world.desk, jobs={"digest": JOBS["digest"]}, now=lambda: world.now).run_once() == 0
    assert runs_of(world) == []


def test_what_waits_unsent_is_not_sent_after_a_newer_one(world: World) -> None:
    planned(world, GAP)
    moment = [world.now]
    runner = Runner(world.desk, jobs={"digest": JOBS["digest"]}, now=lambda: moment[0])
    for _ in range(3):
        runner.run_once()
        moment[0] += timedelta(days=1)
    statement = text("SELECT state FROM outbox WHERE kind = 'digest' ORDER BY id")
    states = world.store.database.read(lambda connection: list(connection.execute(statement).scalars()), None)
    assert states == ["failed", "failed", "waiting"]


def test_a_digest_channel_has_weekdays_at_nine_until_it_is_planned_otherwise(world: World) -> None:
    world.do(change_setting, ChangeSetting(name="digest_channel", value=GAP), by=OWNER)
    saturday = START.replace(day=28)
    for now, count in ((START - timedelta(minutes=1), 0), (START, 1), (START + timedelta(hours=1), 0), (saturday, 1)):
        assert Runner(world.desk, jobs={"digest": JOBS["digest"]}, now=lambda now=now: now).run_once() == count, now  # type: ignore[misc]  # as above
    assert [day.isoformat() for _, day, _, _ in runs_of(world)] == ["2026-11-23", "2026-11-27"]
    world.do(plan_digest, PlanDigest(channel=GAP, is_on=False), by=ADMIN)
    assert Runner(world.desk, jobs={"digest": JOBS["digest"]}, now=lambda: START + timedelta(days=8)).run_once() == 0


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_scheduler_runs_what_is_asked_for_at_once_and_stops(world: World) -> None:
    done: list[Any] = []
    planned(world, GAP)
    runs = JobRuns(world.store)
    thread = JobsThread(Runner(world.desk, jobs={}, now=lambda: START))
    thread.wake()
    thread.start()
    jobs = {"digest": JOBS["digest"]}
    thread.runner = Runner(world.desk, jobs=jobs, now=lambda: START + timedelta(days=1))
    runs.ask("digest", GAP, START.date(), START, by=ADMIN)
    end = time.monotonic() + 8
    while not done and time.monotonic() < end:
        thread.wake()
        time.sleep(0.05)
        done = [state for _, _, state, _ in runs_of(world) if state == "done"]
    thread.stop()
    assert done
